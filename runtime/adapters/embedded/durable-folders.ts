import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './system-error.ts';

/** Makes names in a folder durable: of files put there, moved or removed. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes a folder for this user only, and those above it that are absent; their names are durable. Not mkdir's own
 * `recursive`: Node 24 tries for ever where a file system refuses folders with ENOENT, as /proc does.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    const parent = dirname(path);
    if (!hasCode(error, 'ENOENT') || (await exists(parent))) throw error;
    await makeFolder(parent);
    return makeFolder(path);
  }
  await syncFolder(dirname(path));
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Makes folders, durably, below one that is there. Remembers them: each costs an fsync once per process. */
export class DurableFolders {
  readonly #made = new Map<string, Promise<void>>();

  constructor(root: string) {
    this.#made.set(root, Promise.resolve());
  }

  /** Resolves when the folder is there and its name is durable. */
  ensure(path: string): Promise<void> {
    const known = this.#made.get(path);
    if (known !== undefined) return known;
    const made = this.#make(path);
    this.#made.set(path, made);
    made.catch(() => this.#made.delete(path));
    return made;
  }

  async #make(path: string): Promise<void> {
    const parent = dirname(path);
    await this.ensure(parent);
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      // It may have been made just before a crash, so its name is made durable all the same.
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    await syncFolder(parent);
  }
}
