import { existsSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { unpackPackages } from './debian-packages.ts';
import { requireTools, run, ServiceUnavailable } from './tools.ts';

const MIRROR = 'http://deb.debian.org/debian';

/** Makes the folder the root file system of a Debian with these packages. Takes root. */
export async function debianRoot(suite: string, packages: readonly string[], folder: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new ServiceUnavailable('debootstrap takes root: run the tests as root');
  requireTools(['wget', 'dpkg', 'chroot', 'unshare'], 'install wget, dpkg, coreutils and util-linux');
  await mkdir(folder, { recursive: true });
  // The machine's own debootstrap may be absent, or too old to know the suite.
  const tool = `${folder}.debootstrap`;
  await unpackPackages(['debootstrap'], tool);
  const scripts = path.join(tool, 'root', 'usr', 'share', 'debootstrap');
  const script = path.join(scripts, 'scripts', suite);
  if (!existsSync(script)) await symlink('sid', script);
  const program = path.join(tool, 'root', 'usr', 'sbin', 'debootstrap');
  const args = ['--variant=minbase', `--include=${packages.join(',')}`, suite, folder, await mirror()];
  // In namespaces of its own: what it mounts is gone with it, whatever becomes of it.
  const isolated = ['--mount', '--pid', '--fork', '--kill-child', '--', program, ...args];
  await run('unshare', isolated, { env: { DEBOOTSTRAP_DIR: scripts, ...(await proxy()) } });
  await rm(tool, { recursive: true, force: true });
  for (const needless of ['var/cache/apt/archives', 'var/lib/apt/lists']) {
    await rm(path.join(folder, needless), { recursive: true, force: true });
  }
}

/** The mirror from which this machine installs, where it is a Debian; else Debian's own. */
async function mirror(): Promise<string> {
  const format = ['--format', '$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian', 'Component: main'];
  const uris = await run('apt-get', ['indextargets', ...format]);
  const own = uris.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  return own ?? MIRROR;
}

/** The proxy by which this machine's apt fetches packages, if it has one. */
async function proxy(): Promise<Record<string, string>> {
  const setting = await run('apt-config', ['dump', '--format', '%v', 'Acquire::http::Proxy']);
  return setting === '' ? {} : { http_proxy: setting };
}
