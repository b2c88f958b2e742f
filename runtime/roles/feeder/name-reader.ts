import { isUtf8 } from 'node:buffer';
import { listedName, whyNoName } from '../../domain-kit/name.ts';

/** A line that is no name. */
export interface RefusedLine {
  /** Counted from 1. */
  readonly line: number;
  readonly why: string;
  /**
   * How it begins, with what is invisible escaped. Not all of it: a line may hold what is known of a person, and
   * this much tells the owner of the list which kind of line it is.
   */
  readonly start: string;
}

/** The lines of a list that are no names. */
export interface RefusedLines {
  readonly count: number;
  /** How many of them are not UTF-8. */
  readonly undecodable: number;
  /** The first few. */
  readonly first: readonly RefusedLine[];
}

const NEWLINE = 0x0a;
/** Bytes. However a name of 128 characters is spelled, it has less. */
const MAX_LINE = 4_096;
const TOLD_LINES = 10;
const TOLD_CHARACTERS = 20;
const INVISIBLE = /[\p{C}\p{Z}]/gu;

/**
 * Reads the names of a fraud list, one per line, in UTF-8, as its content arrives: in canonical form, those that
 * stand there twice twice. Blank lines, white space around a name, CRLF and a byte-order mark are left out. What
 * else is no name by the rule of the HTTP API is counted, and the first lines of that kind are told.
 */
export class NameReader {
  readonly #first: RefusedLine[] = [];
  #refused = 0;
  #undecodable = 0;
  #lines = 0;
  /** The line that has not ended yet; of one that is too long only its beginning. */
  #rest: Buffer = Buffer.alloc(0);

  /** The lines that were no names so far. */
  get refused(): RefusedLines {
    return { count: this.#refused, undecodable: this.#undecodable, first: [...this.#first] };
  }

  /** The names that end in the next piece of the content. */
  *read(piece: Uint8Array): Generator<string> {
    const from = this.#rest.length > MAX_LINE ? endOfLine(piece) : 0;
    const block = Buffer.concat([this.#rest, piece.subarray(from)]);
    const end = block.lastIndexOf(NEWLINE) + 1;
    // A copy, so that no piece is kept for its last line.
    this.#rest = Buffer.from(block.subarray(end, end + MAX_LINE + 1));
    yield* this.#namesOf(block.subarray(0, end));
  }

  /** The name on the last line, if nothing ends that. */
  *end(): Generator<string> {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    if (rest.length > 0) yield* this.#namesOf(Buffer.concat([rest, Buffer.from([NEWLINE])]));
  }

  *#namesOf(block: Buffer): Generator<string> {
    // All at once is much faster than line by line.
    const decodable = isUtf8(block);
    for (let from = 0; from < block.length;) {
      const to = block.indexOf(NEWLINE, from);
      this.#lines += 1;
      const name = this.#nameOf(block.subarray(from, to), decodable);
      if (name !== undefined) yield name;
      from = to + 1;
    }
  }

  #nameOf(line: Buffer, decodable: boolean): string | undefined {
    if (line.length > MAX_LINE) {
      this.#refuse(line, 'too long');
      return undefined;
    }
    if (!decodable && !isUtf8(line)) {
      this.#undecodable += 1;
      this.#refuse(line, 'not UTF-8');
      return undefined;
    }
    const text = line.toString('utf8').trim();
    if (text === '') return undefined;
    const name = listedName(text);
    if (name === undefined) this.#refuse(line, whyNoName(text));
    return name;
  }

  #refuse(line: Buffer, why: string): void {
    this.#refused += 1;
    if (this.#first.length === TOLD_LINES) return;
    this.#first.push({ line: this.#lines, why, start: escapedStart(line) });
  }
}

function endOfLine(piece: Uint8Array): number {
  const end = piece.indexOf(NEWLINE);
  return end < 0 ? piece.length : end;
}

function escapedStart(line: Buffer): string {
  // No character takes more than four bytes.
  const text = line.toString('utf8', 0, TOLD_CHARACTERS * 4);
  return Array.from(text)
    .slice(0, TOLD_CHARACTERS)
    .join('')
    .replaceAll(INVISIBLE, (one) => (one === ' ' ? one : `\\u{${one.codePointAt(0)?.toString(16) ?? ''}}`));
}
