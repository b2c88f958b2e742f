import { closeSync, openSync, readSync } from 'node:fs';
import { MAX_FILE_BYTES } from './documents.ts';

/** The text of a file, or in a line why there is none. */
export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string; readonly isAbsent: boolean };

/**
 * Reads a file of text. It reads no more than such a file may have, so that not even a device is read without end: by
 * default what a YAML file may have.
 */
export function readTextFile(file: string, maxBytes = MAX_FILE_BYTES): FileText {
  try {
    const bytes = readBounded(file, maxBytes + 1);
    if (bytes.length > maxBytes) {
      const message = `the file is too large: at most ${maxBytes} bytes are allowed`;
      return { ok: false, message, isAbsent: false };
    }
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return { ok: false, message: describe(error), isAbsent: codeOf(error) === 'ENOENT' };
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
  switch (codeOf(error)) {
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

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
