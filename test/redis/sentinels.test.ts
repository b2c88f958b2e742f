import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { RedisOptions } from '../../runtime/adapters/redis/cache.ts';
import type { Cache } from '../../runtime/ports/cache.ts';
import { expectPortError, unique } from '../contract/waiting.ts';
import { eventually } from '../helpers/eventually.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { type Sentinels, startSentinels } from '../services/sentinels.ts';
import { describeRedis, Opened } from './opened.ts';

/** The adapter gives a master up that was not confirmed for 5 s, and asks every second. */
const GIVEN_UP_MS = 20_000;
const PASSWORD = 'a-secret-password';

const opened = new Opened();
afterEach(() => opened.closeAll());

const start = async (options: Parameters<typeof startRedis>[0]): Promise<RedisServer> =>
  opened.add(await startRedis({ appendOnly: false, ...options }), (each) => each.stop());

const isBack = (cache: Cache): Promise<boolean> =>
  cache.contains('set', []).then(
    () => true,
    () => false,
  );

describeRedis('Redis with Sentinels', () => {
  let sentinels: Sentinels;
  let options: Pick<RedisOptions, 'server' | 'password'>;

  beforeEach(async () => {
    const master = await start({ password: PASSWORD });
    await start({ replicaOf: master });
    sentinels = opened.add(await startSentinels({ master, password: PASSWORD }), (each) => each.stop());
    options = {
      server: { sentinels: sentinels.addresses, masterName: sentinels.masterName, tls: false },
      password: PASSWORD,
    };
  });

  test('a failover is followed, and marks of the master before do not count', async () => {
    const { cache, told } = opened.cache(options);
    await cache.apply([
      { op: 'add', key: 'set', members: ['a'] },
      { op: 'mark', key: 'set', scored: false },
    ]);
    expect(await cache.contains('set', ['a'])).toEqual({ complete: true, contains: [true] });
    await sentinels.failOver();
    await eventually('the cache is connected to the new master', () => told.reconnects > 0, GIVEN_UP_MS);
    expect((await cache.contains('set', ['a'])).complete).toBe(false);
    await cache.check();
  });

  test('subscribers follow as well', async () => {
    const { cache, told } = opened.cache(options);
    const heard: string[] = [];
    await cache.subscribe('channel', (message) => heard.push(message));
    await cache.publish('channel', 'before');
    await sentinels.failOver();
    await eventually('both connections are made anew', () => told.reconnects > 1, GIVEN_UP_MS);
    await cache.publish('channel', 'after');
    await eventually('both are heard', () => heard.join() === 'before,after');
  });

  test('one Sentinel less changes nothing; with too few, nobody can say that the master is still one', async () => {
    const proxies = await Promise.all(
      sentinels.addresses.map(async (address) => TcpProxy.start(Number(address.split(':')[1]))),
    );
    for (const proxy of proxies) opened.add(proxy, (each) => each.close());
    const [first, second] = proxies;
    const addresses = proxies.map(({ address }) => address);
    const { cache, told } = opened.cache({
      ...options,
      server: { sentinels: addresses, masterName: sentinels.masterName, tls: false },
    });
    await cache.check();
    first?.stall();
    await cache.check();
    second?.stall();
    await eventually('the cache is unavailable', async () => !(await isBack(cache)), GIVEN_UP_MS);
    await eventually(
      'it is told why',
      () => told.failures.at(-1)?.message.includes('1 of 3 Sentinels'),
      GIVEN_UP_MS,
    );
    await expectPortError(cache.contains('set', []), 'unavailable');
    second?.resume();
    await eventually('the cache is back', () => isBack(cache), GIVEN_UP_MS);
    expect(told.isUp).toBe(true);
  });

  test('a Sentinel that is restarted is asked again', async () => {
    const { cache } = opened.cache(options);
    await cache.check();
    const [first, second] = sentinels.all;
    await first?.kill();
    await first?.restart();
    await second?.kill();
    await eventually('the cache answers when asked anew', async () => {
      const { cache: other } = opened.cache(options);
      return isBack(other);
    });
    await cache.check();
  });
});

describeRedis('Redis with Sentinels and TLS', () => {
  test('is spoken to by TLS throughout', async () => {
    const master = await start({ tls: true, password: PASSWORD });
    const sentinels = opened.add(await startSentinels({ master, count: 1, quorum: 1 }), (each) =>
      each.stop(),
    );
    const { cache } = opened.cache({
      server: { sentinels: sentinels.addresses, masterName: sentinels.masterName, tls: true },
      password: PASSWORD,
      ...(master.ca && { ca: master.ca }),
    });
    await cache.check();
  });
});

describeRedis('a master that becomes one again', () => {
  test('finds its old marks on content that is not its own, and they do not count', async () => {
    const first = await start({});
    const second = await start({ replicaOf: first });
    const keyPrefix = `${unique('again')}:`;
    const cacheOn = ({ url }: RedisServer): Cache => opened.cache({ server: { url }, keyPrefix }).cache;
    const load = (cache: Cache, ...members: string[]): Promise<boolean> =>
      cache.apply([
        { op: 'delete', key: 'fraud' },
        { op: 'add', key: 'fraud', members },
        { op: 'mark', key: 'fraud', scored: false },
      ]);
    const offsetOf = async (server: RedisServer): Promise<string | undefined> =>
      /master_repl_offset:(\d+)/.exec(await server.command('info', 'replication'))?.[1];
    const synced = (one: RedisServer, other: RedisServer): Promise<true> =>
      eventually(
        'the replica has all',
        async () => (await offsetOf(one)) === (await offsetOf(other)),
        10_000,
      );

    const early = cacheOn(first);
    await eventually(
      'the first has a replica',
      async () => (await first.command('wait', '1', '100')) === '1',
    );
    await load(early, 'ann');
    await synced(first, second);
    // What the first does next the second never hears of.
    await second.command('replicaof', 'no', 'one');
    await load(early, 'ann', 'bob');
    await first.command('replicaof', '127.0.0.1', String(second.port));
    await eventually(
      'the first has the content of the second',
      async () => (await first.command('info', 'replication')).includes('master_link_status:up'),
      10_000,
    );
    await first.command('replicaof', 'no', 'one');

    const late = cacheOn(first);
    expect(await late.contains('fraud', ['ann', 'bob'])).toEqual({
      complete: false,
      contains: [true, false],
    });
    await eventually('who has been connected all the time sees it too', async () => {
      const seen = await early.contains('fraud', ['bob']).catch(() => undefined);
      return seen?.complete === false;
    });
    await load(late, 'ann', 'bob');
    await eventually('a new mark counts', async () => {
      const seen = await early.contains('fraud', ['bob']).catch(() => undefined);
      return seen?.complete === true && seen.contains[0] === true;
    });
  });
});
