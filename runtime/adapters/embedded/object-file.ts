import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { hasCode } from './system-error.ts';

/**
 * An object's file: one line of JSON, then the content. In one file, metadata and content are put in place at
 * once; there is no state in which one is there without the other.
 */
export interface ObjectHeader {
  readonly etag: string;
  /** Bytes of content. */
  readonly size: number;
  readonly modifiedAt: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes read at a time. */
const PIECE = 64 * 1024;
/** Metadata has at most 2 KB, twice that when it is all escaped. */
const MAX_HEADER = 8 * 1024;
const NEWLINE = 0x0a;

/** Etag of a content. */
export function etagOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

/** Writes a new file; it is durable when this resolves, but for its name in the folder. */
export async function writeObjectFile(path: string, header: ObjectHeader, body: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(header)}\n`);
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Reads what stands before the content; undefined when there is no such file. */
export async function readObjectHeader(path: string): Promise<ObjectHeader | undefined> {
  const file = await openIfThere(path);
  if (file === undefined) return undefined;
  try {
    return (await readHeader(file, path)).header;
  } finally {
    await file.close();
  }
}

/**
 * Reads the content with this etag in pieces. The file is opened when the first piece is asked for, so content
 * that nobody reads holds nothing open; throws when another has taken its place by then.
 */
export async function* readObjectBody(path: string, etag: string): AsyncGenerator<Uint8Array> {
  const file = await openIfThere(path);
  if (file === undefined) throw new Error('the object was removed before its content was read');
  try {
    const { header, length } = await readHeader(file, path);
    if (header.etag !== etag) throw new Error('the object was replaced before its content was read');
    let position = length;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(PIECE), 0, PIECE, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    if (position !== length + header.size) throw new Error('the file of the object is cut short');
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function readHeader(
  file: FileHandle,
  path: string,
): Promise<{ readonly header: ObjectHeader; readonly length: number }> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(MAX_HEADER), 0, MAX_HEADER, 0);
  const end = buffer.subarray(0, bytesRead).indexOf(NEWLINE);
  try {
    // Written by writeObjectFile.
    return { header: JSON.parse(buffer.toString('utf8', 0, end)) as ObjectHeader, length: end + 1 };
  } catch (error) {
    throw new Error(`the file of an object is damaged: ${path}`, { cause: error });
  }
}
