import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeName } from './object-key.ts';
import { hasCode } from './system-error.ts';

/** Which keys are wanted. */
export interface KeyRange {
  readonly prefix: Buffer;
  /** Keys behind this one only. */
  readonly after: Buffer | undefined;
}

/** An object's key and file. */
export interface FoundObject {
  readonly key: string;
  readonly path: string;
}

interface Child {
  readonly isObject: boolean;
  readonly key: Buffer;
  readonly path: string;
}

/**
 * Walks over the objects of a folder in order of their keys' bytes. All keys under one name are neighbours in
 * that order, so sorting the names of each folder is enough, and folders outside of the range are not opened.
 */
export async function* walkKeys(
  folder: string,
  range: KeyRange,
  begin: Buffer = Buffer.alloc(0),
): AsyncGenerator<FoundObject> {
  for (const { isObject, key, path } of await children(folder, range, begin)) {
    if (isObject) yield { key: key.toString('utf8'), path };
    else yield* walkKeys(path, range, key);
  }
}

async function children(folder: string, range: KeyRange, begin: Buffer): Promise<Child[]> {
  const found: Child[] = [];
  for (const name of await namesIn(folder)) {
    const part = decodeName(name);
    if (part === undefined) continue;
    const child = {
      isObject: part.isObject,
      key: Buffer.concat([begin, part.bytes]),
      path: join(folder, name),
    };
    if (part.isObject ? isWanted(child.key, range) : mayHold(child.key, range)) found.push(child);
  }
  return found.sort((one, other) => Buffer.compare(one.key, other.key));
}

function isWanted(key: Buffer, { prefix, after }: KeyRange): boolean {
  return startsWith(key, prefix) && (after === undefined || Buffer.compare(key, after) > 0);
}

/** Whether a key that begins so may be wanted. */
function mayHold(begin: Buffer, { prefix, after }: KeyRange): boolean {
  if (!startsWith(begin, prefix) && !startsWith(prefix, begin)) return false;
  return after === undefined || startsWith(after, begin) || Buffer.compare(begin, after) > 0;
}

function startsWith(bytes: Buffer, begin: Buffer): boolean {
  return bytes.length >= begin.length && bytes.subarray(0, begin.length).equals(begin);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
