/**
 * Where an object's file lies: `/` in the key makes a folder, so that a page of a prefix looks only at the
 * folders on its way. Each segment is cut into pieces of so many bytes, because a file name has at most 255.
 * A piece's last character says what it is, so that "a" and "a/b" may both exist.
 */
export const PIECE_BYTES = 64;
/** The segment goes on in this folder. */
const MORE = '+';
/** The segment ends, and the key goes on behind a `/` in this folder. */
const FOLDER = '=';
/** The key ends: this is the object's file. */
const OBJECT = '@';

const SLASH = 0x2f;
/** Lower case only: some file systems do not tell it from upper case. */
const PLAIN = /^[a-z0-9_-]$/;

/** Folders and file of a key, relative to its bucket. */
export function encodeKey(key: string): string[] {
  const names: string[] = [];
  let piece: number[] = [];
  const end = (mark: string): void => {
    names.push(piece.map(encodeByte).join('') + mark);
    piece = [];
  };
  for (const byte of Buffer.from(key)) {
    if (byte === SLASH) {
      end(FOLDER);
      continue;
    }
    piece.push(byte);
    if (piece.length === PIECE_BYTES) end(MORE);
  }
  end(OBJECT);
  return names;
}

/** What a name in a bucket's folders stands for: the bytes that it adds to the key. */
export interface KeyPart {
  readonly isObject: boolean;
  readonly bytes: Buffer;
}

/** Reads one name; undefined for a file that is none of ours. */
export function decodeName(name: string): KeyPart | undefined {
  const mark = name.at(-1);
  if (mark !== MORE && mark !== FOLDER && mark !== OBJECT) return undefined;
  const bytes = name
    .slice(0, -1)
    .replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return { isObject: mark === OBJECT, bytes: Buffer.from(mark === FOLDER ? `${bytes}/` : bytes, 'latin1') };
}

function encodeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  return PLAIN.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
}
