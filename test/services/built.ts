import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { requireTools, ServiceUnavailable } from './tools.ts';

const LOCK_WAIT_S = 30 * 60;

/** How something is built that the services need. */
export interface Recipe {
  /** Its folder in the cache, with its version. */
  readonly folder: string;
  /** For the line that says what is going on, with how long it takes. */
  readonly what: string;
  /** Fills the folder, an empty one that is moved afterwards; throws ServiceUnavailable where that cannot be. */
  readonly build: (folder: string) => Promise<void>;
}

/** Where what is built once is kept. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return path.join(base, 'mini-platform');
}

/**
 * The folder of what the recipe builds; builds it when it is not in the cache yet. It appears there whole or not at
 * all, and of several processes one builds while the others wait. Throws ServiceUnavailable with the reason.
 */
export async function ensureBuilt(recipe: Recipe): Promise<string> {
  const folder = path.join(cacheFolder(), recipe.folder);
  if (existsSync(folder)) return folder;
  requireTools(['flock', 'setpriv'], 'install util-linux');
  mkdirSync(cacheFolder(), { recursive: true });
  const unlock = await lock(`${folder}.lock`);
  try {
    if (!existsSync(folder)) await build(recipe, folder);
  } finally {
    unlock();
  }
  return folder;
}

async function build(recipe: Recipe, folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  // What a build left that was killed: the lock says that nobody works on it.
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  process.stderr.write(`Building ${recipe.what}; this happens once ...\n`);
  const start = performance.now();
  try {
    await recipe.build(unfinished);
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (error instanceof ServiceUnavailable) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServiceUnavailable(`building ${recipe.what} failed: ${reason}`, { cause: error });
  }
  process.stderr.write(`Built ${recipe.folder} in ${Math.round((performance.now() - start) / 1_000)} s\n`);
}

/** Waits for the lock; resolves to its release. The system releases it if this process dies. */
async function lock(file: string): Promise<() => void> {
  const script = 'echo held; exec cat >/dev/null';
  const holder = spawn('flock', ['--wait', String(LOCK_WAIT_S), file, 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await new Promise<void>((resolve, reject) => {
    createInterface(holder.stdout).once('line', () => resolve());
    holder.once('error', reject);
    holder.once('exit', () =>
      reject(new ServiceUnavailable(`another process has built there for ${LOCK_WAIT_S} s: ${file}`)),
    );
  });
  return () => holder.stdin.end();
}
