import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import type { ObjectStore } from '../../runtime/ports/object-store.ts';
import { CommandError } from '../command-error.ts';

const SEED_ANNOTATION = 'mini-platform.io/seed';

/**
 * Puts into the object store what the resource's annotation names, where it is absent, and makes the bucket of the
 * fraud list. May be done again. `file` is the resource's.
 */
export async function seed(objects: ObjectStore, resource: MiniPlatform, file: string): Promise<void> {
  const folder = resource.metadata.annotations?.[SEED_ANNOTATION];
  if (folder !== undefined) await seedObjects(objects, path.resolve(path.dirname(file), folder));
  const { source } = resource.spec.feeder;
  if (source !== undefined) await objects.ensureBuckets([source.bucket]);
}

/**
 * Puts the files of a folder, `<bucket>/<key>`, into the object store where they are absent; resolves to how
 * many were put.
 */
export async function seedObjects(objects: ObjectStore, folder: string): Promise<number> {
  let files: readonly string[];
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  } catch (error) {
    throw new CommandError(`The seed folder ${folder} cannot be read: ${String(error)}`, 1, { cause: error });
  }
  let put = 0;
  for (const file of files) {
    const [bucket, ...key] = path.relative(folder, file).split(path.sep);
    if (bucket === undefined || key.length === 0) continue;
    await objects.ensureBuckets([bucket]);
    const result = await objects.put(bucket, key.join('/'), await readFile(file), { ifAbsent: true });
    if (result.outcome === 'stored') put += 1;
  }
  return put;
}
