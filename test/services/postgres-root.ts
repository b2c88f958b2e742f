import { chown, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureBuilt } from './built.ts';
import { debianRoot } from './debian-root.ts';
import { run } from './tools.ts';

const MAJOR = '18';
const SUITE = 'forky';
/** Where PostgreSQL's programs lie in the root file system. */
export const PROGRAMS = `/usr/lib/postgresql/${MAJOR}/bin`;
const PACKAGES = [`postgresql-${MAJOR}`, `postgresql-${MAJOR}-documentdb`];

/** Lock in the folder of an instance: held as long as any process of it is there. */
export const LOCK_FILE = 'running.lock';

/**
 * Runs what follows as the user postgres in the root file system $1, with the folder $2 at /mnt, in namespaces of its
 * own. The shell stays as their first process: with it all others end, and their mounts and shared memory go.
 */
const ENTER = `
set -e
root=$1; data=$2; shift 2
exec 9>>"$data/${LOCK_FILE}"
flock 9
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -m 1777 "$root/dev/shm"
mount --bind "$data" "$root/mnt"
chroot "$root" setpriv --reuid postgres --regid postgres --clear-groups -- "$@"
exit $?
`;

/** Makes the data folder: only the socket in the instance's folder is listened on, also by what makes the indexes. */
const SETUP = `
set -e
PATH=${PROGRAMS}:$PATH
cd /mnt
initdb --auth=trust --encoding=UTF8 --locale=C.UTF-8 -D data
cat >>data/postgresql.conf <<END
listen_addresses = ''
unix_socket_directories = '/mnt'
shared_preload_libraries = 'pg_cron,pg_documentdb_core,pg_documentdb'
cron.database_name = 'postgres'
cron.host = '/mnt'
documentdb.localhost_connection_string = 'host=/mnt'
END
pg_ctl -D data -w -l setup.log start || { cat setup.log; exit 1; }
psql -h /mnt -d postgres -c 'create extension documentdb cascade'
pg_ctl -D data -w stop
`;

/** A PostgreSQL with DocumentDB, and a data folder for it to begin with. */
export interface PostgresRoot {
  readonly root: string;
  /** A data folder with the extension made, to be copied. */
  readonly template: string;
}

/** Builds it once. Throws ServiceUnavailable where it cannot be had. */
export async function postgresRoot(): Promise<PostgresRoot> {
  const folder = await ensureBuilt({
    folder: `postgresql-documentdb-${MAJOR}`,
    what: `a root file system with PostgreSQL ${MAJOR} and DocumentDB, from Debian ${SUITE} (2 minutes, 700 MB)`,
    build,
  });
  return places(folder);
}

function places(folder: string): PostgresRoot {
  return { root: path.join(folder, 'root'), template: path.join(folder, 'instance', 'data') };
}

/** The command that runs a program in the root file system; it sees the instance's folder at /mnt. */
export function inRoot(
  { root }: Pick<PostgresRoot, 'root'>,
  instance: string,
  program: readonly [string, ...string[]],
): [string, ...string[]] {
  const isolated = ['--mount', '--pid', '--ipc', '--fork', '--kill-child', '--'];
  return ['unshare', ...isolated, 'sh', '-c', ENTER, 'enter', root, instance, ...program];
}

/** Makes a folder that the root file system's user postgres owns. */
export async function makeInstance({ root }: Pick<PostgresRoot, 'root'>, folder: string): Promise<void> {
  const passwd = await readFile(path.join(root, 'etc', 'passwd'), 'utf8');
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+):/m.exec(passwd) ?? [];
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chown(folder, Number(uid), Number(gid));
}

async function build(folder: string): Promise<void> {
  const { root } = places(folder);
  await debianRoot(SUITE, PACKAGES, root);
  const instance = path.join(folder, 'instance');
  await makeInstance({ root }, instance);
  const [command, ...args] = inRoot({ root }, instance, ['/bin/sh', '-c', SETUP]);
  await run(command, args, { env: { LC_ALL: 'C.UTF-8' } });
}
