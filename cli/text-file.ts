import { closeSync, openSync, readSync } from 'node:fs';
import { MAX_FILE_BYTES } from '../schema/documents.ts';

/** The text of a file, or in a line why there is none. */
export type FileText =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

/** Reads a YAML file. It reads no more than such a file may have, so that not even a device is read without end. */
export function readTextFile(file: string): FileText {
  try {
    const bytes = readBounded(file, MAX_FILE_BYTES + 1);
    if (bytes.length > MAX_FILE_BYTES) {
      return { ok: false, message: `the file is too large: at most ${MAX_FILE_BYTES} bytes are allowed` };
    }
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return { ok: false, message: describe(error) };
  }
}

function readBounded(file: string, maxBytes: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(maxBytes);
    let length = 0;
    let read = -1;
    while (read !== 0 && length < maxBytes) {
      read = readSync(descriptor, buffer, length, maxBytes - length, null);
      length += read;
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function describe(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'this is a folder, not a file';
    case 'EACCES':
      return 'the file may not be read';
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'this is no text in UTF-8';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
