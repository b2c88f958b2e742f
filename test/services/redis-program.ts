import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { readdir } from 'node:fs/promises';
import { ensureBuilt } from './built.ts';
import { unpackPackages } from './debian-packages.ts';
import { findTool, run } from './tools.ts';

/** How Redis is run on this machine: `redis-server` and `redis-cli`. */
export interface RedisProgram {
  readonly server: string;
  readonly cli: string;
  /** What both need in their environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The `redis-server` on the PATH, or else that of the Debian package, unpacked into the cache: this takes two seconds
 * and no rights, where a root file system would take a minute and root.
 */
export async function redisProgram(): Promise<RedisProgram> {
  const [server, cli] = [findTool('redis-server'), findTool('redis-cli')];
  if (server !== undefined && cli !== undefined) return { server, cli, env: {} };
  const folder = await ensureBuilt({
    folder: 'redis-debian',
    what: 'Redis, from its Debian package (2 s)',
    build: unpack,
  });
  const bin = path.join(folder, 'root', 'usr', 'bin');
  return {
    server: path.join(bin, 'redis-server'),
    cli: path.join(bin, 'redis-cli'),
    env: { LD_LIBRARY_PATH: path.join(folder, 'libraries') },
  };
}

async function unpack(folder: string): Promise<void> {
  await unpackPackages(['redis-server', 'redis-tools'], folder);
  // Debian has its libraries in a folder that is named after the architecture.
  const base = path.join('root', 'usr', 'lib');
  const [triplet] = (await readdir(path.join(folder, base))).filter((name) => name.includes('-linux-gnu'));
  await symlink(path.join(base, triplet ?? ''), path.join(folder, 'libraries'));
  const libraries = path.join(folder, 'libraries');
  await run(path.join(folder, 'root', 'usr', 'bin', 'redis-server'), ['--version'], {
    env: { LD_LIBRARY_PATH: libraries },
  });
}
