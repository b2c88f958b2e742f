import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { RedisOptions } from '../../runtime/adapters/redis/cache.ts';
import type { PortError } from '../../runtime/ports/port-error.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { type Sentinels, startSentinels } from '../services/sentinels.ts';
import { describeRedis, Opened } from './opened.ts';

type Options = Omit<RedisOptions, 'keyPrefix' | 'observer'>;
type Refusal = readonly [name: string, options: () => Options, kind: string, texts: readonly string[]];

const RIGHTS = '+@read +@write +@pubsub +@connection +info +eval +evalsha';
const PASSWORD = 'a-secret-password';

describeRedis('settings of Redis', () => {
  const opened = new Opened();
  let plain: RedisServer;
  let locked: RedisServer;
  let tls: RedisServer;
  let mutual: RedisServer;
  let sentinels: Sentinels;

  beforeAll(async () => {
    [plain, locked, tls, mutual] = await Promise.all([
      startRedis({ appendOnly: false }),
      startRedis({
        appendOnly: false,
        password: PASSWORD,
        users: [
          `enough on >${PASSWORD} ~app:* &app:* ${RIGHTS}`,
          `no-scripts on >${PASSWORD} ~app:* &app:* +@read +@write +@connection +info`,
          `no-info on >${PASSWORD} ~app:* &app:* +@all -info`,
          `other-keys on >${PASSWORD} ~other:* &app:* +@all`,
          `no-channels on >${PASSWORD} ~app:* resetchannels +@all`,
        ],
      }),
      startRedis({ appendOnly: false, tls: true }),
      startRedis({ appendOnly: false, tls: true, settings: ['tls-auth-clients yes'] }),
    ]);
    sentinels = await startSentinels({ master: plain, count: 1, quorum: 1 });
  });

  afterEach(() => opened.closeAll());

  afterAll(async () => {
    await sentinels.stop();
    await Promise.all([plain, locked, tls, mutual].map((server) => server.stop()));
  });

  /** What `check` says once the adapter knows: its first try may take longer than a call waits. */
  const checked = async (options: Options): Promise<PortError | undefined> => {
    const { cache } = opened.cache({ keyPrefix: 'app:', ...options });
    try {
      await cache.check();
      return undefined;
    } catch (error) {
      return error as PortError;
    }
  };
  const login = (username: string, password = PASSWORD): Options => ({
    server: { url: locked.url },
    username,
    password,
  });
  const named = (masterName: string, addresses = sentinels.addresses): Options => ({
    server: { sentinels: addresses, masterName, tls: false },
  });

  const refusals: readonly Refusal[] = [
    [
      'nobody there',
      () => ({ server: { url: 'redis://127.0.0.1:1' } }),
      'unavailable',
      ['127.0.0.1:1', 'spec.redis.url'],
    ],
    [
      'an unknown host',
      () => ({ server: { url: 'redis://nowhere.invalid:6379' } }),
      'unavailable',
      ['nowhere.invalid:6379', 'cannot be found', 'spec.redis.url'],
    ],
    ['no password', () => ({ server: { url: locked.url } }), 'refused', ['spec.redis.secret']],
    ['a wrong password', () => login('default', 'wrong'), 'refused', ['WRONGPASS', 'spec.redis.secret']],
    ['an unknown user', () => login('nobody'), 'refused', ['WRONGPASS', 'spec.redis.secret']],
    ['a user who may not run scripts', () => login('no-scripts'), 'refused', ['NOPERM', '+evalsha']],
    ['a user who may not read INFO', () => login('no-info'), 'refused', ['NOPERM', '+info']],
    ['a user of other keys', () => login('other-keys'), 'refused', ['NOPERM', 'all keys']],
    ['a user without channels', () => login('no-channels'), 'refused', ['NOPERM', 'channels']],
    [
      'no TLS where it is needed',
      () => ({ server: { url: tls.url.replace('rediss', 'redis') } }),
      'refused',
      ['nothing but TLS', 'spec.redis.url'],
    ],
    [
      'TLS where there is none',
      () => ({ server: { url: plain.url.replace('redis', 'rediss') } }),
      'refused',
      ['takes no TLS', 'spec.redis.url'],
    ],
    [
      'an authority that is not known',
      () => ({ server: { url: tls.url } }),
      'refused',
      ['spec.redis.caSecret'],
    ],
    [
      'a server that asks for certificates',
      () => ({ server: { url: mutual.url }, ...(mutual.ca && { ca: mutual.ca }) }),
      'refused',
      ['tls-auth-clients'],
    ],
    ['no such database', () => ({ server: { url: `${plain.url}/99` } }), 'refused', ['spec.redis.url']],
    [
      'a Sentinel in place of a server',
      () => ({ server: { url: `redis://${sentinels.addresses[0]}` } }),
      'refused',
      ['spec.redis.sentinels'],
    ],
    ['an unknown master name', () => named('other'), 'refused', ['"other"', 'spec.redis.masterName']],
    [
      'a server in place of a Sentinel',
      () => named('mymaster', [plain.address]),
      'refused',
      ['spec.redis.sentinels'],
    ],
    [
      'Sentinels that are not there',
      () => named('mymaster', ['127.0.0.1:1', '127.0.0.1:2']),
      'unavailable',
      ['0 of 2', '127.0.0.1:2', 'spec.redis.sentinels'],
    ],
    [
      'no TLS with the Sentinels',
      () => ({ server: { sentinels: sentinels.addresses, masterName: 'mymaster', tls: true } }),
      'refused',
      ['takes no TLS', 'spec.redis.tls'],
    ],
  ];

  test.each(refusals)('%s gives one clear error', async (_, options, kind, texts) => {
    const error = await checked(options());
    expect(error).toMatchObject({ name: 'PortError', kind, call: 'cache.check' });
    for (const text of texts) expect(error?.message).toContain(text);
    expect([error?.message, error?.stack].join()).not.toContain(PASSWORD);
    expect(error?.cause).toBeUndefined();
  });

  test.each<readonly [string, () => Options]>([
    ['a server', () => ({ server: { url: plain.url } })],
    ['another database', () => ({ server: { url: `${plain.url}/3` } })],
    ['the password of the default user', () => ({ server: { url: locked.url }, password: PASSWORD })],
    ['a user with just the rights that are listed', () => login('enough')],
    ['TLS', () => ({ server: { url: tls.url }, ...(tls.ca && { ca: tls.ca }) })],
    ['Sentinels', () => named('mymaster')],
  ])('%s will do', async (_, options) => {
    expect(await checked(options())).toBeUndefined();
  });

  test('a user with just the rights that are listed can do everything', async () => {
    const { cache } = opened.cache({ keyPrefix: 'app:', ...login('enough') });
    await cache.subscribe('channel', () => {});
    await cache.publish('channel', 'message');
    await cache.apply([{ op: 'add', key: 'set', members: ['a', '\0nonce'] }]);
    await cache.addCounting('set', ['b'], 1_000);
    expect(await cache.cardinality('set')).toBe(2);
    await cache.page('sorted', { limit: 1 });
    await cache.claimDue('sorted', { now: 1, leaseMs: 1, limit: 1 });
    const lease = await cache.acquireLease('lease', 'ann', 1_000);
    expect(await lease?.renew()).toBe(true);
    await lease?.release();
  });

  describe('that change while it runs', () => {
    afterEach(async () => {
      await plain.command('config', 'set', 'maxmemory', '0');
      await plain.command('config', 'set', 'maxmemory-policy', 'noeviction');
      await plain.command('config', 'set', 'min-replicas-to-write', '0');
    });

    test('an eviction policy that takes any key is noticed by the next check', async () => {
      const { cache, told } = opened.cache({ server: { url: plain.url } });
      await cache.check();
      await plain.command('config', 'set', 'maxmemory-policy', 'allkeys-lru');
      await cache.check();
      await plain.command('config', 'set', 'maxmemory', '100mb');
      const refused = { kind: 'refused', message: expect.stringContaining('maxmemory-policy allkeys-lru') };
      await expect(cache.check()).rejects.toMatchObject(refused);
      await expect(cache.contains('fraud', ['a'])).rejects.toMatchObject(refused);
      expect(told.isUp).toBe(false);
    });

    test.each([
      ['maxmemory', '1', 'maxmemory'],
      ['min-replicas-to-write', '1', 'replicas'],
    ])('%s %s: writes are not possible now, which is said', async (name, value, text) => {
      const { cache } = opened.cache({ server: { url: plain.url } });
      await cache.check();
      await plain.command('config', 'set', name, value);
      const write = cache.apply([{ op: 'add', key: 'set', members: ['a'] }]);
      await expect(write).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining(text),
      });
      expect((await cache.contains('set', ['a'])).contains).toEqual([false]);
    });
  });
});
