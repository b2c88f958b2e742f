import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { eventually } from '../helpers/eventually.ts';
import { DataFolder } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { redisCommand, type RedisServer } from './redis.ts';
import { type RedisProgram, redisProgram } from './redis-program.ts';
import { type Server, ServerProcess } from './server-process.ts';

const MEET_MS = 30_000;

export interface SentinelsOptions {
  /** The master at their start; its replicas they find by themselves, so start those before. TLS as it has it. */
  readonly master: RedisServer;
  /** Where they, and those who ask them, reach the master, where this is not its own port: that of a proxy. */
  readonly masterPort?: number;
  /** 3 when absent. */
  readonly count?: number;
  /** How many of them must find the master away; 2 when absent. */
  readonly quorum?: number;
  /** What clients of the Sentinels log in by; nothing when absent. The master's own they have from `master`. */
  readonly password?: string;
  /** After which silence the master is away, in ms; 1000 when absent. */
  readonly downAfterMs?: number;
  /** Limit of a failover, and half of the pause between two of them, in ms; 5000 when absent. */
  readonly failoverTimeoutMs?: number;
}

export interface Sentinel extends Server {
  /** As host:port. */
  readonly address: string;
  command(...args: readonly string[]): Promise<string>;
}

/** Sentinels on loopback that watch one master. */
export interface Sentinels {
  readonly masterName: string;
  readonly addresses: readonly string[];
  readonly all: readonly Sentinel[];
  /** Whom the first of them names as the master, as host:port. */
  master(): Promise<string>;
  /** Makes a replica the master, as an operator would; resolves to the new one when the first of them names it. */
  failOver(): Promise<string>;
  stop(): Promise<void>;
}

const MASTER_NAME = 'mymaster';

/** Starts Sentinels; resolves when they know each other and the master's replicas. */
export async function startSentinels(options: SentinelsOptions): Promise<Sentinels> {
  const { count = 3 } = options;
  const program = await redisProgram();
  const replicas = Number(
    /connected_slaves:(\d+)/.exec(await options.master.command('info', 'replication'))?.[1],
  );
  const all: Sentinel[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(all.map((sentinel) => sentinel.stop()));
  };
  try {
    for (let started = 0; started < count; started += 1) all.push(await startSentinel(program, options));
    await Promise.all(all.map((sentinel) => meet(sentinel, count - 1, replicas)));
  } catch (error) {
    await stop();
    throw error;
  }
  const [first] = all;
  if (first === undefined) throw new Error('no Sentinel was asked for');
  const master = async (): Promise<string> => {
    const [host, port] = (await first.command('sentinel', 'get-master-addr-by-name', MASTER_NAME)).split(
      '\n',
    );
    return `${host ?? ''}:${port ?? ''}`;
  };
  return {
    masterName: MASTER_NAME,
    addresses: all.map(({ address }) => address),
    all,
    master,
    async failOver() {
      const old = await master();
      await first.command('sentinel', 'failover', MASTER_NAME);
      return eventually('another master', async () => other(await master(), old), MEET_MS);
    },
    stop,
  };
}

function other(master: string, old: string): string | undefined {
  return master === old ? undefined : master;
}

async function meet(sentinel: Sentinel, others: number, replicas: number): Promise<void> {
  await eventually(
    `the Sentinel at ${sentinel.address} knows ${others} others and ${replicas} replicas`,
    async () => {
      const lines = (await sentinel.command('sentinel', 'master', MASTER_NAME)).split('\n');
      const value = (field: string): number => Number(lines[lines.indexOf(field) + 1]);
      return value('num-other-sentinels') >= others && value('num-slaves') >= replicas;
    },
    MEET_MS,
  );
}

async function startSentinel(program: RedisProgram, options: SentinelsOptions): Promise<Sentinel> {
  const data = await DataFolder.create('sentinel');
  const port = await freePort();
  const configFile = path.join(data.path, 'sentinel.conf');
  await writeFile(configFile, configuration(options, port, data.path).join('\n'));
  const stop = async (): Promise<void> => {
    await server?.kill();
    await data.remove();
  };
  let server: ServerProcess | undefined;
  try {
    server = await ServerProcess.start({
      name: `Sentinel on port ${port}`,
      command: [program.server, configFile, '--sentinel'],
      env: program.env,
      cwd: data.path,
      logFile: path.join(data.path, 'sentinel.log'),
      serves: (log) => log.includes('+monitor master'),
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const running = server;
  const reach = { port, password: options.password, caFile: options.master.tls?.caFile };
  return {
    address: `127.0.0.1:${port}`,
    command: (...args) => redisCommand(program, reach, args),
    folder: data.path,
    get pids() {
      return running.pids;
    },
    kill: () => running.kill(),
    restart: () => running.restart(),
    pause: () => running.pause(),
    resume: () => running.resume(),
    stop,
  };
}

function configuration(options: SentinelsOptions, port: number, folder: string): readonly string[] {
  const { master, password, quorum = 2, downAfterMs = 1_000, failoverTimeoutMs = 5_000 } = options;
  const { tls } = master;
  return [
    ...(tls === undefined ? [`port ${port}`] : ['port 0', `tls-port ${port}`, ...tls.lines]),
    'bind 127.0.0.1',
    `dir ${folder}`,
    // Sentinels log in to each other by it as well.
    ...(password === undefined
      ? []
      : [`requirepass ${JSON.stringify(password)}`, `sentinel sentinel-pass ${JSON.stringify(password)}`]),
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${options.masterPort ?? master.port} ${quorum}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${MASTER_NAME} ${failoverTimeoutMs}`,
    ...(master.password === undefined
      ? []
      : [`sentinel auth-pass ${MASTER_NAME} ${JSON.stringify(master.password)}`]),
    '',
  ];
}
