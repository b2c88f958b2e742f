import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { requireTools, run, ServiceUnavailable } from './tools.ts';

/**
 * Unpacks Debian packages into the folder, without installing them, with those of their dependencies that this
 * machine has not. Throws ServiceUnavailable where there is no apt, or where it cannot be had from its mirror.
 */
export async function unpackPackages(packages: readonly string[], folder: string): Promise<void> {
  requireTools(['apt-get', 'dpkg-deb'], 'the package is taken from Debian or Ubuntu');
  const archives = path.join(folder, 'archives');
  const lists = path.join(folder, 'lists');
  await mkdir(path.join(archives, 'partial'), { recursive: true });
  const download = [
    'install',
    '--download-only',
    '--no-install-recommends',
    '--reinstall',
    '-y',
    ...packages,
  ];
  const own = [`Dir::Cache::archives=${archives}`, 'Debug::NoLocking=1'];
  try {
    await aptGet(download, own);
  } catch {
    // The lists of a new machine are empty or old; newer ones go beside, the machine's own stay as they are.
    await mkdir(path.join(lists, 'partial'), { recursive: true });
    const withLists = [...own, `Dir::State::lists=${lists}`, `Dir::Cache=${folder}`];
    await aptGet(['update'], withLists);
    await aptGet(download, withLists);
  }
  const root = path.join(folder, 'root');
  for (const file of await readdir(archives)) {
    if (file.endsWith('.deb')) await run('dpkg-deb', ['--extract', path.join(archives, file), root]);
  }
  for (const needless of [archives, lists]) await rm(needless, { recursive: true, force: true });
}

async function aptGet(command: readonly string[], settings: readonly string[]): Promise<void> {
  try {
    await run('apt-get', [...settings.flatMap((setting) => ['-o', setting]), ...command]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServiceUnavailable(`Debian packages cannot be downloaded: ${reason}`, { cause: error });
  }
}
