import { Failure, type Where } from './failure.ts';
import { MARK } from './scripts.ts';

/** The fields of INFO that decide whether a server can be relied on. */
const NEEDED = [
  'redis_version',
  'redis_mode',
  'run_id',
  'loading',
  'role',
  'master_replid',
  'maxmemory',
  'maxmemory_policy',
] as const;

type ServerInfo = Readonly<Record<(typeof NEEDED)[number], string>>;

/** SMISMEMBER and ZADD LT came with it. */
const OLDEST = [6, 2] as const;

/**
 * The mark of the server that gave this answer to INFO. Throws a Failure when the server is no master of its own, or is
 * set to lose what must not be lost unseen.
 *
 * The mark names the process (run_id) and its time as a master (master_replid, which is new at each promotion): an old
 * master that comes back with the content of another one finds its old marks there, and they must not count.
 */
export function markOf(info: string, where: Where): string {
  const server = parseInfo(info, where);
  const failure = modeFailure(server, where) ?? stateFailure(server, where) ?? evictionFailure(server, where);
  if (failure !== undefined) throw failure;
  return `${MARK}${server.run_id}:${server.master_replid}`;
}

function parseInfo(info: string, where: Where): ServerInfo {
  const fields = new Map(
    info.split('\r\n').map((line) => {
      const [name = '', ...value] = line.split(':');
      return [name, value.join(':')];
    }),
  );
  const missing = NEEDED.filter((name) => !fields.has(name));
  // A Sentinel says nothing of memory.
  if (missing.length > 0 && fields.get('redis_mode') !== 'sentinel') {
    throw new Failure(
      'refused',
      `${where.server} is no Redis to rely on: its INFO lacks ${missing.join(', ')}`,
    );
  }
  return Object.fromEntries(NEEDED.map((name) => [name, fields.get(name) ?? ''])) as ServerInfo;
}

/** What it is, and stays until somebody changes it. */
function modeFailure(server: ServerInfo, { server: name }: Where): Failure | undefined {
  if (server.redis_mode === 'sentinel') {
    return new Failure(
      'refused',
      `${name} is a Sentinel: name it in spec.redis.sentinels, with spec.redis.masterName, in place of spec.redis.url`,
    );
  }
  if (server.redis_mode === 'cluster') {
    return new Failure(
      'refused',
      `${name} is of a Redis Cluster, which is not supported: use a server or Sentinels`,
    );
  }
  const [major = 0, minor = 0] = server.redis_version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  return new Failure(
    'refused',
    `${name} is Redis ${server.redis_version}: ${OLDEST.join('.')} or later is needed`,
  );
}

/** What passes. */
function stateFailure(server: ServerInfo, { server: name, settings }: Where): Failure | undefined {
  if (server.loading !== '0')
    return new Failure('unavailable', `${name} is still reading its data from disk`);
  if (server.role === 'master') return undefined;
  return new Failure(
    'unavailable',
    `${name} is a replica: if it is not about to become the master, correct ${settings.address}`,
  );
}

/**
 * An eviction policy of all keys takes the list of parked writes or the fraud list when memory runs out. One of volatile
 * keys takes only what has a time to live, each key with its mark: that is noticed, and made anew.
 */
function evictionFailure(
  { maxmemory, maxmemory_policy: policy }: ServerInfo,
  where: Where,
): Failure | undefined {
  if (!policy.startsWith('allkeys-') || maxmemory === '0') return undefined;
  return new Failure(
    'refused',
    `${where.server} evicts keys that must stay (maxmemory-policy ${policy}): set it to noeviction or volatile-lru`,
  );
}
