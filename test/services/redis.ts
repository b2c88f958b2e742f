import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeCertificates } from './certificates.ts';
import { DataFolder } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { type RedisProgram, redisProgram } from './redis-program.ts';
import { type Server, ServerProcess } from './server-process.ts';
import { run } from './tools.ts';

export interface RedisServerOptions {
  /** What clients, and replicas, log in by; nothing when absent. */
  readonly password?: string;
  /** Users besides the default one, as ACL rules, such as `alice on >secret ~app:* +@read`. */
  readonly users?: readonly string[];
  /** Whether it takes TLS, and nothing else. */
  readonly tls?: boolean;
  /** Whether all that it has confirmed is there after it was killed; true when absent. */
  readonly appendOnly?: boolean;
  /** The server that it follows; with its password and with TLS as it has it. */
  readonly replicaOf?: RedisServer;
  /** More lines of its configuration, such as `maxmemory-policy allkeys-lru`. */
  readonly settings?: readonly string[];
  /** A free one when absent. */
  readonly port?: number;
}

/** Where a Redis or a Sentinel is reached, and how it is logged in to. */
interface Reach {
  readonly port: number;
  readonly password: string | undefined;
  readonly caFile: string | undefined;
}

/** A Redis on loopback. */
export interface RedisServer extends Server {
  readonly port: number;
  /** As host:port. */
  readonly address: string;
  /** redis:// or rediss://, without credentials. */
  readonly url: string;
  readonly password: string | undefined;
  /** The authority to trust, in PEM; undefined without TLS. */
  readonly ca: string | undefined;
  readonly tls: TlsLines | undefined;
  /** Sends one command, as `redis-cli` does; resolves to the answer as it prints it. Rejects on an error answer. */
  command(...args: readonly string[]): Promise<string>;
}

/** What configures TLS in a Redis or a Sentinel. */
export interface TlsLines {
  readonly ca: string;
  readonly caFile: string;
  readonly lines: readonly string[];
}

/** Unpacks what is needed, if it is not there yet. Throws ServiceUnavailable where that cannot be. */
export async function ensureRedis(): Promise<void> {
  await redisProgram();
}

/** Starts a Redis of the caller's own. Throws ServiceUnavailable where there is none. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const program = await redisProgram();
  const data = await DataFolder.create('redis');
  try {
    return await start(program, data, options);
  } catch (error) {
    await data.remove();
    throw error;
  }
}

async function start(
  program: RedisProgram,
  data: DataFolder,
  options: RedisServerOptions,
): Promise<RedisServer> {
  const { replicaOf, port = await freePort() } = options;
  const password = options.password ?? replicaOf?.password;
  const tls = options.tls === true ? await makeTls(data.path) : replicaOf?.tls;
  const configFile = path.join(data.path, 'redis.conf');
  const lines = configuration({ ...options, password, tls, port, folder: data.path });
  await writeFile(configFile, lines.join('\n'));
  const server = await ServerProcess.start({
    name: `Redis on port ${port}`,
    command: [program.server, configFile],
    env: program.env,
    cwd: data.path,
    logFile: path.join(data.path, 'redis.log'),
    serves: (log) => log.includes('Ready to accept connections'),
  });
  const reach = { port, password, caFile: tls?.caFile };
  return {
    port,
    address: `127.0.0.1:${port}`,
    url: `${tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`,
    password,
    ca: tls?.ca,
    tls,
    command: (...args) => redisCommand(program, reach, args),
    folder: data.path,
    get pids() {
      return server.pids;
    },
    kill: () => server.kill(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    async stop() {
      await server.kill();
      await data.remove();
    },
  };
}

async function makeTls(folder: string): Promise<TlsLines> {
  const { ca, caFile, certFile, keyFile } = await makeCertificates(folder);
  const files = [`tls-ca-cert-file ${caFile}`, `tls-cert-file ${certFile}`, `tls-key-file ${keyFile}`];
  return { ca, caFile, lines: [...files, 'tls-auth-clients no', 'tls-replication yes'] };
}

interface Configuration {
  readonly port: number;
  readonly folder: string;
  readonly password: string | undefined;
  readonly tls: TlsLines | undefined;
  readonly appendOnly?: boolean;
  readonly replicaOf?: RedisServer;
  readonly users?: readonly string[];
  readonly settings?: readonly string[];
}

function configuration(options: Configuration): readonly string[] {
  const { appendOnly = true, folder, password, port, replicaOf, settings = [], tls, users = [] } = options;
  const login = JSON.stringify(password);
  return [
    ...(tls === undefined ? [`port ${port}`] : ['port 0', `tls-port ${port}`, ...tls.lines]),
    'bind 127.0.0.1',
    `dir ${folder}`,
    `appendonly ${appendOnly ? 'yes' : 'no'}`,
    // A file from time to time would bring back old data where none is to be kept.
    'save ""',
    // A replica gets all at once rather than after a pause for more replicas.
    'repl-diskless-sync-delay 0',
    ...(password === undefined ? [] : [`requirepass ${login}`, `masterauth ${login}`]),
    ...users.map((rules) => `user ${rules}`),
    ...(replicaOf === undefined ? [] : [`replicaof 127.0.0.1 ${replicaOf.port}`]),
    ...settings,
    '',
  ];
}

/** Sends one command by `redis-cli`; rejects with the answer if it is an error. */
export async function redisCommand(
  program: RedisProgram,
  { port, password, caFile }: Reach,
  args: readonly string[],
): Promise<string> {
  const tls = caFile === undefined ? [] : ['--tls', '--cacert', caFile];
  const login: Record<string, string> = password === undefined ? {} : { REDISCLI_AUTH: password };
  const answer = await run(program.cli, ['-e', '-h', '127.0.0.1', '-p', String(port), ...tls, ...args], {
    env: { ...program.env, ...login },
    deadlineMs: 10_000,
  });
  return answer.trimEnd();
}
