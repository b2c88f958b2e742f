import path from 'node:path';
import { inRoot, LOCK_FILE, makeInstance, type PostgresRoot, PROGRAMS } from './postgres-root.ts';
import { ServerProcess } from './server-process.ts';
import { run } from './tools.ts';

const ENDED_S = 60;

export interface PostgresUser {
  readonly name: string;
  readonly password: string;
}

/** A PostgreSQL with DocumentDB, in a folder of its own, reached by the socket in it. */
export class Postgres {
  /** The folder of its socket. */
  readonly folder: string;
  readonly #server: ServerProcess;

  private constructor(folder: string, server: ServerProcess) {
    this.folder = folder;
    this.#server = server;
  }

  /** Starts one with its files in `<folder>/postgres`, with this user besides its own. */
  static async start(root: PostgresRoot, folder: string, user?: PostgresUser): Promise<Postgres> {
    const instance = path.join(folder, 'postgres');
    await makeInstance(root, instance);
    await run('cp', ['--archive', '--reflink=auto', root.template, instance]);
    if (user !== undefined) await addUser(root, instance, user);
    const server = await ServerProcess.start({
      name: 'PostgreSQL',
      command: inRoot(root, instance, [`${PROGRAMS}/postgres`, '-D', '/mnt/data']),
      cwd: folder,
      logFile: path.join(folder, 'postgres.log'),
      serves: (log) => log.includes('database system is ready to accept connections'),
    });
    return new Postgres(instance, server);
  }

  get pids(): readonly number[] {
    return this.#server.pids;
  }

  /** Resolves when nothing of it is left: all of them hold the lock, whose first process takes them along. */
  async kill(): Promise<void> {
    await this.#server.kill();
    await run('flock', ['--wait', String(ENDED_S), path.join(this.folder, LOCK_FILE), 'true']);
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.#server.restart();
  }
}

/** Before the server runs: nothing but the server's own program is needed. */
async function addUser(
  root: PostgresRoot,
  instance: string,
  { name, password }: PostgresUser,
): Promise<void> {
  const sql = `create role ${quoted(name, '"')} superuser login password ${quoted(password, "'")};\n`;
  const single = [`${PROGRAMS}/postgres`, '--single', '-D', '/mnt/data', 'postgres'] as const;
  const [command, ...args] = inRoot(root, instance, [...single]);
  await run(command, args, { input: sql });
}

function quoted(text: string, quote: string): string {
  return `${quote}${text.replaceAll(quote, quote + quote)}${quote}`;
}
