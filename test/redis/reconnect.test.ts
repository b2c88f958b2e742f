import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { RedisCache } from '../../runtime/adapters/redis/cache.ts';
import { expectPortError, Observed } from '../contract/waiting.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { describeRedis, Opened } from './opened.ts';
import type { ToldObserver } from './told-observer.ts';

/** Longer than any call of the adapter takes. */
const CALL_MS = 4_000;
/** A silent server is given up after 3 s, and a try to connect to it takes 2 s. */
const BACK_MS = 20_000;

describeRedis('connections to Redis', () => {
  const opened = new Opened();
  let server: RedisServer;
  let proxy: TcpProxy;
  let cache: RedisCache;
  let told: ToldObserver;

  beforeEach(async () => {
    server = opened.add(await startRedis(), (each) => each.stop());
    proxy = opened.add(await TcpProxy.start(server.port), (each) => each.close());
    ({ cache, told } = opened.cache({ server: { url: `redis://${proxy.address}` } }));
  });

  afterEach(() => opened.closeAll());

  const isBack = (): Promise<boolean> =>
    cache.contains('set', []).then(
      () => true,
      () => false,
    );
  const back = (): Promise<true> => eventually('the cache answers again', isBack, BACK_MS);
  const add = (member: string): Promise<boolean> =>
    cache.apply([{ op: 'add', key: 'set', members: [member] }]);

  test('are made at the first call, and told of', async () => {
    expect(proxy.connections).toBe(0);
    await add('a');
    expect(proxy.connections).toBe(1);
    expect(told).toMatchObject({ isUp: true, ups: 1, reconnects: 0, failures: [], requests: ['apply 1'] });
  });

  test('a server that is not there at the start is waited for', async () => {
    await server.kill();
    await expectPortError(add('a'), 'unavailable');
    expect(told.isUp).toBe(false);
    await server.restart();
    await back();
    expect(told).toMatchObject({ isUp: true, ups: 1, reconnects: 0 });
    expect(told.failures.length).toBeGreaterThan(0);
  });

  test('that are lost are made anew, and what was in flight is rejected', async () => {
    await add('a');
    proxy.stall();
    const inFlight = [add('b'), cache.contains('set', ['a']), cache.addCounting('set', ['c'], 10_000)];
    const settled = Promise.allSettled(inFlight);
    proxy.cut();
    proxy.resume();
    for (const outcome of await within('all are settled', settled, CALL_MS)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable' } });
    }
    await back();
    expect(told).toMatchObject({ isUp: true, reconnects: 1 });
  });

  test('a server that is killed again and again is found again, with what it has kept', async () => {
    for (let round = 0; round < 3; round++) {
      await eventually('a member is added', () => add(`${round}`).catch(() => false), BACK_MS);
      await server.kill();
      await server.restart();
    }
    await back();
    expect((await cache.contains('set', ['0', '1', '2'])).contains).toEqual([true, true, true]);
  });

  test('marks of before a restart do not count, though the server has kept them', async () => {
    await cache.apply([{ op: 'mark', key: 'set', scored: false }]);
    expect((await cache.contains('set', [])).complete).toBe(true);
    await server.kill();
    await server.restart();
    await back();
    expect(await server.command('dbsize')).toBe('1');
    expect((await cache.contains('set', [])).complete).toBe(false);
  });

  test.each<[string, () => void, () => void]>([
    ['a server that is silent', () => server.pause(), () => server.resume()],
    ['a network that passes nothing on', () => proxy.stall(), () => proxy.resume()],
    ['another end that is gone without a word', () => proxy.halfOpen(), () => proxy.resume()],
  ])('%s fails calls in time, and is given up', async (_, begin, end) => {
    await add('a');
    begin();
    const first = within('a call is rejected', add('b'), CALL_MS);
    await expect(first).rejects.toMatchObject({ name: 'PortError' });
    const next = within('the next call is rejected', add('c'), CALL_MS);
    await expect(next).rejects.toMatchObject({ name: 'PortError' });
    end();
    await back();
    expect((await cache.contains('set', ['a'])).contains).toEqual([true]);
    expect(told).toMatchObject({ isUp: true, reconnects: 1 });
  });

  test('while a server is known to be away calls are rejected at once', async () => {
    await add('a');
    proxy.refuse();
    await eventually('it is known', () => told.failures.length > 0);
    const calls = async (): Promise<void> => {
      for (let call = 0; call < 1_000; call++) await expectPortError(add('b'), 'unavailable');
    };
    await within('a thousand calls are rejected', calls(), CALL_MS);
    proxy.resume();
    await back();
  });

  test('counts are never counted twice: what a lost connection leaves unknown is rejected', async () => {
    let sum = 0;
    for (let round = 0; round < 20; round++) {
      const adding = cache.addCounting('set', [`${round}`, `${round}'`], 100_000);
      if (round % 4 === 3) proxy.cut();
      const added = await adding.catch(() => 'unknown' as const);
      if (added === 'unknown') {
        await back();
        continue;
      }
      expect(added).toBe(2);
      sum += added;
    }
    expect(sum).toBeLessThanOrEqual(await cache.cardinality('set'));
    expect(sum).toBeGreaterThan(0);
  });

  test('subscriptions stand again after a loss', async () => {
    const heard = new Observed<string>();
    await cache.subscribe('channel', heard.push);
    await cache.publish('channel', 'first');
    await heard.count('the first', 1);
    await server.kill();
    await server.restart();
    await eventually(
      'a message is heard again',
      async () => {
        await cache.publish('channel', 'again').catch(() => {});
        return heard.items.includes('again');
      },
      BACK_MS,
    );
  });

  test('a subscription that cannot be made is rejected and leaves nothing behind', async () => {
    proxy.refuse();
    const heard = new Observed<string>();
    await expectPortError(cache.subscribe('channel', heard.push), 'unavailable');
    proxy.resume();
    await back();
    const other = new Observed<string>();
    await eventually('another one stands', () =>
      cache.subscribe('channel', other.push).then(
        () => true,
        () => false,
      ),
    );
    await cache.publish('channel', 'message');
    await other.count('the message', 1);
    expect(heard.items).toEqual([]);
  });

  test.each<[string, () => Promise<void> | void]>([
    ['while nothing was called', () => {}],
    ['while a call is in flight', () => server.pause()],
    ['while the server is away', () => server.kill()],
    ['while they are being made', () => proxy.cut()],
  ])('end with the cache, %s', async (_, trouble) => {
    await cache.subscribe('channel', () => {});
    await add('a');
    await trouble();
    const call = add('b').catch((error: unknown) => error);
    await within('it is closed', cache.close());
    await within('the call is settled', call);
    await eventually('no connection is left', () => proxy.connections === 0);
    await expectPortError(add('c'), 'closed');
  });

  test('a server that evicts any key is refused, at a reconnect as well', async () => {
    await add('a');
    await server.command('config', 'set', 'maxmemory', '100mb');
    await server.command('config', 'set', 'maxmemory-policy', 'allkeys-lru');
    proxy.cut();
    await eventually('it is refused', () => told.failures.some(({ kind }) => kind === 'refused'));
    await expectPortError(cache.contains('set', ['a']), 'refused');
    await server.command('config', 'set', 'maxmemory-policy', 'volatile-lru');
    await back();
  });
});
