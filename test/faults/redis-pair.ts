import { eventually } from '../helpers/eventually.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { type Sentinels, startSentinels } from '../services/sentinels.ts';
import { type ProxiedServer, startProxied, stopProxied } from './proxied-server.ts';

/** Silence after which a master is taken for gone: longer than the network faults, so that they are no failovers. */
const DOWN_AFTER_MS = 3_000;
const FAILOVER_TIMEOUT_MS = 3_000;
/** A Sentinel turns a master that has come back into a replica after 8 s of looking at it. */
const SETTLE_MS = 40_000;

/**
 * A master, a replica and three Sentinels, each behind a proxy: everybody, they themselves too, knows the two servers
 * by the addresses of their proxies. Nothing is kept on disk: who is restarted comes back empty.
 */
export class RedisPair {
  readonly #servers: readonly ProxiedServer<RedisServer>[];
  readonly #sentinels: Sentinels;
  readonly #sentinelProxies: readonly TcpProxy[];

  private constructor(
    servers: readonly ProxiedServer<RedisServer>[],
    sentinels: Sentinels,
    sentinelProxies: readonly TcpProxy[],
  ) {
    this.#servers = servers;
    this.#sentinels = sentinels;
    this.#sentinelProxies = sentinelProxies;
  }

  static async start(): Promise<RedisPair> {
    const master = await startServer();
    const replica = await startServer({ ...master.server, port: master.proxy.port });
    await eventually('the replica follows the master', () => hasReplica(master.server), SETTLE_MS);
    const sentinels = await startSentinels({
      master: master.server,
      masterPort: master.proxy.port,
      downAfterMs: DOWN_AFTER_MS,
      failoverTimeoutMs: FAILOVER_TIMEOUT_MS,
    });
    const proxies = await Promise.all(sentinels.addresses.map((address) => TcpProxy.start(portIn(address))));
    return new RedisPair([master, replica], sentinels, proxies);
  }

  get masterName(): string {
    return this.#sentinels.masterName;
  }

  /** Where the roles find the Sentinels, as host:port. */
  get sentinels(): readonly string[] {
    return this.#sentinelProxies.map(({ address }) => address);
  }

  /** All that the roles connect through. */
  get proxies(): readonly TcpProxy[] {
    return [...this.#servers.map(({ proxy }) => proxy), ...this.#sentinelProxies];
  }

  /** The server that the Sentinels name. */
  async master(): Promise<RedisServer> {
    const address = await this.#sentinels.master();
    const master = this.#servers.find(({ proxy }) => proxy.address === address);
    if (master === undefined) throw new Error(`the Sentinels name ${address}, which is none of ours`);
    return master.server;
  }

  /** Resolves when the Sentinels name another server than this one. */
  async promoted(old: RedisServer): Promise<void> {
    await eventually('a replica is the master', async () => (await this.master()) !== old, SETTLE_MS);
  }

  /** Resolves when one server is the master, the other one its replica, and every Sentinel has noticed. */
  async settled(): Promise<void> {
    await eventually('the Sentinels agree on a master and its replica', () => this.#isSettled(), SETTLE_MS);
  }

  async stop(): Promise<void> {
    await this.#sentinels.stop();
    await Promise.all(this.#servers.map(stopProxied));
    await Promise.all(this.#sentinelProxies.map((proxy) => proxy.close()));
  }

  async #isSettled(): Promise<boolean> {
    const views = await Promise.all(
      this.#sentinels.all.map(async (sentinel) => {
        const master = await sentinel.command('sentinel', 'master', this.masterName);
        const replicas = await sentinel.command('sentinel', 'replicas', this.masterName);
        return { master: pairsIn(master), replica: pairsIn(replicas) };
      }),
    );
    const masters = new Set(views.map(({ master }) => master.get('port')));
    const allWell = views.every(
      ({ master, replica }) =>
        master.get('flags') === 'master' &&
        replica.get('flags') === 'slave' &&
        replica.get('master-link-status') === 'ok',
    );
    return masters.size === 1 && allWell && hasReplica(await this.master());
  }
}

function startServer(replicaOf?: RedisServer): Promise<ProxiedServer<RedisServer>> {
  const following = replicaOf === undefined ? {} : { replicaOf };
  return startProxied((port, proxyAddress) => {
    const settings = [
      'replica-announce-ip 127.0.0.1',
      `replica-announce-port ${portIn(proxyAddress)}`,
      // A replica whose connection is half-open notices soon.
      'repl-timeout 3',
      'repl-ping-replica-period 1',
    ];
    return startRedis({ ...following, port, appendOnly: false, settings });
  });
}

async function hasReplica(master: RedisServer): Promise<boolean> {
  const info = await master.command('info', 'replication');
  return info.includes('role:master') && info.includes('state=online');
}

/** A list of names and values, one a line, as redis-cli prints it; the first of each name. */
function pairsIn(answer: string): ReadonlyMap<string, string> {
  const lines = answer.split('\n');
  const pairs = new Map<string, string>();
  for (let place = 0; place + 1 < lines.length; place += 2) {
    const name = lines[place] ?? '';
    if (!pairs.has(name)) pairs.set(name, lines[place + 1] ?? '');
  }
  return pairs;
}

function portIn(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
