import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { createMetrics, type Metrics } from '../../runtime/metrics.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { Feeder, type FeederOptions } from '../../runtime/roles/feeder/feeder.ts';
import type { LoadProgress } from '../../runtime/roles/feeder/load-fraud-list.ts';
import { gate } from '../contract/waiting.ts';
import { eventually, turn, within } from '../helpers/eventually.ts';
import { Faults } from '../helpers/fakes.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { FRAUD_SET, judge, stepped } from './judge.ts';
import { ListObject, SOURCE } from './list-object.ts';

const INTERVAL_MS = 30_000;
const CHECK_MS = 1_000;

let clock: ManualClock;
let data: CacheData;
let cache: EmbeddedCache;
let object: ListObject;
let metrics: Metrics;
let log: string[];
let feeders: Feeder[];

beforeEach(() => {
  clock = new ManualClock();
  data = new CacheData(() => clock.now());
  cache = new EmbeddedCache(data);
  object = new ListObject();
  metrics = createMetrics();
  log = [];
  feeders = [];
});

afterEach(async () => {
  const stopped = feeders.map((feeder) => feeder.stop(1_000));
  clock.advance(1_000);
  await Promise.all(stopped);
});

function create(options: Partial<FeederOptions> = {}): Feeder {
  const feeder = new Feeder({
    objects: object.store,
    cache,
    source: SOURCE,
    set: FRAUD_SET,
    intervalMs: INTERVAL_MS,
    allowEmpty: false,
    clock,
    logger: pino({ level: 'trace' }, { write: (line) => void log.push(line) }),
    metrics,
    ...options,
  });
  feeders.push(feeder);
  return feeder;
}

/** A feeder that has looked for the list once. */
async function started(options: Partial<FeederOptions> = {}): Promise<Feeder> {
  const feeder = create(options);
  feeder.start();
  await within('the first look', feeder.firstLook());
  await paused();
  return feeder;
}

/** Waits until each feeder has done its round and waits for the next one. */
async function paused(): Promise<void> {
  await eventually('all feeders pause', async () => {
    for (let turns = 0; turns < 20; turns += 1) await turn();
    return clock.timers >= feeders.filter(({ lifecycle }) => lifecycle.state !== 'STOPPED').length;
  });
}

/** Lets the rounds of this many ms go by, one after the other. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += CHECK_MS) {
    clock.advance(Math.min(CHECK_MS, ms - passed));
    await paused();
  }
}

const refused = (): ReturnType<typeof judge> => judge(cache, ['ann', 'bob', 'cid']);
const valueOf = async (name: string): Promise<Readonly<Record<string, number>>> => {
  const metric = await metrics.registry.getSingleMetric(`mini_platform_fraud_list_${name}`)?.get();
  return Object.fromEntries(
    (metric?.values ?? []).map(({ labels, value }) => [Object.values(labels).join(), value]),
  );
};

describe('a feeder', () => {
  test('is ready when a list is in force', async () => {
    object.put('ann\nbob\n');
    const feeder = create();
    expect(feeder.readiness()).toEqual({
      role: 'feeder',
      state: 'STARTING',
      ready: false,
      reason: 'starting',
    });
    feeder.start();
    expect(feeder.readiness()).toEqual({
      role: 'feeder',
      state: 'JOINING',
      ready: false,
      reason: 'fraud/fraud-list.txt is being loaded',
    });
    const list = await within('the first list', feeder.loadedOnce());
    expect(list).toMatchObject({ names: 2, etag: ListObject.etagOf('ann\nbob\n') });
    expect(feeder.list).toBe(list);
    expect(feeder.trouble).toBeUndefined();
    expect(feeder.readiness()).toEqual({ role: 'feeder', state: 'READY', ready: true });
    expect(await refused()).toEqual(['ann', 'bob']);
  });

  test('takes over a list that is in force already, though the object store is away', async () => {
    object.put('ann\n');
    await (await started()).stop(1_000);
    object.before = () => {
      throw new PortError('unavailable', 'object-store.get', 'away');
    };
    const feeder = await started();
    expect(feeder.readiness().ready).toBe(true);
    expect(feeder.list).toMatchObject({ names: 1 });
    expect(feeder.trouble).toContain('away');
  });

  test('does not read again what is in force when it starts', async () => {
    object.put('ann\n');
    await (await started()).stop(1_000);
    let pieces = 0;
    object.before = (what) => {
      pieces += what === 'piece' ? 1 : 0;
    };
    expect((await started()).readiness().ready).toBe(true);
    expect(pieces).toBe(0);
  });

  test('loads a changed list at the next interval, and only then', async () => {
    object.put('ann\n');
    await started();
    await pass(CHECK_MS);
    object.put('bob\n');
    await pass(INTERVAL_MS - CHECK_MS);
    expect(await refused()).toEqual(['ann']);
    await pass(CHECK_MS);
    expect(await refused()).toEqual(['bob']);
    await pass(CHECK_MS);
    const { gets } = object;
    await pass(3 * INTERVAL_MS);
    expect(object.gets).toBe(gets + 3);
  });

  test('looks once more after a load, as the object may have changed meanwhile', async () => {
    object.put('ann\n');
    object.before = (what) => {
      if (what === 'piece') object.put('bob\n');
    };
    await started();
    expect(await refused()).toEqual(['ann']);
    await pass(CHECK_MS);
    expect(await refused()).toEqual(['bob']);
  });

  test('with an interval below a second looks that often', async () => {
    object.put('ann\n');
    await started({ intervalMs: 100 });
    object.put('bob\n');
    clock.advance(100);
    await paused();
    expect(await refused()).toEqual(['bob']);
  });

  test.each(['flush', 'failOver'] as const)('brings the list back within a second of a %s', async (fault) => {
    object.put('ann\n');
    const feeder = await started();
    await pass(5_500);
    data[fault]();
    expect(await refused()).toBe('unknown');
    await pass(CHECK_MS);
    expect(await refused()).toEqual(['ann']);
    expect(feeder.readiness().ready).toBe(true);
  });

  test('is not ready from when it sees that the list is lost until it is loaded', async () => {
    object.put('ann\n');
    const feeder = await started();
    const door = gate();
    object.before = (what) => (what === 'piece' ? door.opened : undefined);
    data.flush();
    clock.advance(CHECK_MS);
    await eventually('it sees that', () => !feeder.readiness().ready);
    expect(feeder.readiness()).toMatchObject({
      state: 'JOINING',
      reason: 'fraud/fraud-list.txt is being loaded',
    });
    expect(feeder.list).toBeUndefined();
    expect(await valueOf('in_force')).toEqual({ '': 0 });
    door.open();
    await eventually('it is ready', () => feeder.readiness().ready);
    expect(await refused()).toEqual(['ann']);
  });

  describe('without an object', () => {
    test('says so and waits for it', async () => {
      const feeder = await started();
      expect(feeder.readiness()).toMatchObject({
        ready: false,
        reason: 'fraud/fraud-list.txt does not exist',
      });
      expect(await refused()).toBe('unknown');
      object.put('ann\n');
      await pass(10_000);
      expect(feeder.readiness().ready).toBe(true);
      expect(await refused()).toEqual(['ann']);
      expect(await within('the first list', feeder.loadedOnce())).toMatchObject({ names: 1 });
    });

    test('keeps the list in force, and is told of once', async () => {
      object.put('ann\n');
      const feeder = await started();
      object.remove();
      await pass(3 * INTERVAL_MS);
      expect(feeder.readiness().ready).toBe(true);
      expect(feeder.trouble).toBe('fraud/fraud-list.txt does not exist');
      expect(await refused()).toEqual(['ann']);
      expect(log.filter((line) => line.includes('does not exist'))).toHaveLength(1);
      object.put('ann\n');
      await pass(INTERVAL_MS);
      expect(feeder.trouble).toBeUndefined();
    });

    test('that it could load again after a flush is not ready, and loads it when it is back', async () => {
      object.put('ann\n');
      const feeder = await started();
      object.remove();
      data.flush();
      await pass(5_000);
      expect(feeder.readiness()).toMatchObject({ reason: 'fraud/fraud-list.txt does not exist' });
      object.put('bob\n');
      await pass(10_000);
      expect(await refused()).toEqual(['bob']);
    });
  });

  describe('refuses a list', () => {
    const BROKEN = Buffer.from('ann\nM\u00fcller\n', 'latin1');

    test('and waits for another one', async () => {
      object.put(BROKEN);
      const feeder = await started();
      expect(feeder.readiness()).toMatchObject({
        ready: false,
        reason:
          'fraud/fraud-list.txt is refused: 1 of its lines are not UTF-8, so nobody knows whom they name',
      });
      expect(await refused()).toBe('unknown');
      object.put('ann\n');
      await pass(10_000);
      expect(feeder.readiness().ready).toBe(true);
    });

    test('and lets the old one in force, without reading it again and again', async () => {
      object.put('bob\n');
      const feeder = await started();
      object.put(BROKEN);
      await pass(INTERVAL_MS);
      const { gets } = object;
      await pass(10 * INTERVAL_MS);
      expect(object.gets).toBe(gets);
      expect(await refused()).toEqual(['bob']);
      expect(feeder.readiness().ready).toBe(true);
      expect(feeder.trouble).toContain('is refused');
      expect(await valueOf('refused_lines')).toEqual({ '': 1 });
      object.put('bob\n');
      await pass(INTERVAL_MS);
      expect(feeder.trouble).toBeUndefined();
    });

    test('that is empty, unless that is allowed', async () => {
      object.put('');
      const feeder = await started();
      expect(feeder.readiness().reason).toContain('it is empty, and spec.feeder.allowEmpty is false');
      expect(await refused()).toBe('unknown');
      await feeder.stop(1_000);
      expect((await started({ allowEmpty: true })).list).toMatchObject({ names: 0 });
      expect(await refused()).toEqual([]);
    });
  });

  describe('when a store fails', () => {
    const away = new PortError('unavailable', 'port', 'away');

    test('tries again, ever more seldom, and the old list stays', async () => {
      object.put('ann\n');
      const feeder = await started();
      object.put('bob\n');
      let tries = 0;
      object.before = () => {
        tries += 1;
        throw away;
      };
      await pass(INTERVAL_MS + 60_000);
      expect(tries).toBeGreaterThan(6);
      expect(tries).toBeLessThan(18);
      expect(await refused()).toEqual(['ann']);
      expect(feeder.readiness().ready).toBe(true);
      expect(feeder.trouble).toBe('fraud/fraud-list.txt could not be loaded (port: away)');
      expect(await valueOf('loads_total')).toEqual({ loaded: 1, failed: tries });
      object.before = () => {};
      await pass(10_000);
      expect(await refused()).toEqual(['bob']);
      expect(feeder.trouble).toBeUndefined();
    });

    test('in the middle of a list tries again', async () => {
      object.put('ann\nbob\n');
      object.cutBytes = 2;
      const feeder = await started();
      expect(feeder.readiness().reason).toContain('only 6 of the 8 bytes of the object arrived');
      expect(await refused()).toBe('unknown');
      object.cutBytes = 0;
      await pass(2_000);
      expect(await refused()).toEqual(['ann', 'bob']);
    });

    test('that is the cache, is not ready, as nobody knows what is in force', async () => {
      object.put('ann\n');
      const faults = new Faults();
      const feeder = await started({ cache: faults.wrap(cache) });
      for (let count = 0; count < 3; count += 1) faults.failNext('contains', away);
      await pass(CHECK_MS);
      expect(feeder.readiness()).toMatchObject({ reason: 'the cache did not answer (port: away)' });
      await pass(2 * CHECK_MS);
      expect(feeder.readiness().ready).toBe(false);
      expect(log.filter((line) => line.includes('did not answer'))).toHaveLength(1);
      data.flush();
      await pass(CHECK_MS);
      expect(feeder.readiness().ready).toBe(true);
      expect(await refused()).toEqual(['ann']);
    });
  });

  describe('that stops', () => {
    test('ends a load that is under way', async () => {
      object.put('ann\n');
      object.before = (what) => (what === 'piece' ? new Promise<void>(() => {}) : undefined);
      const feeder = create();
      feeder.start();
      await eventually('it reads', () => object.gets === 1);
      await turn();
      await within('the stop', feeder.stop(10_000));
      expect(feeder.lifecycle.state).toBe('STOPPED');
      expect(feeder.readiness()).toMatchObject({ ready: false, reason: 'stopped' });
      await within('the first look', feeder.firstLook());
      expect(await within('the first list', feeder.loadedOnce())).toBeUndefined();
      expect([clock.timers, data.size]).toEqual([0, 0]);
    });

    test('waits for a silent store until the deadline only', async () => {
      const door = gate();
      object.before = () => door.opened;
      object.put('ann\n');
      const feeder = create();
      feeder.start();
      await eventually('it waits for the store', () => turn().then(() => true));
      const stopped = feeder.stop(5_000);
      clock.advance(4_999);
      await turn();
      expect(feeder.lifecycle.state).toBe('DRAINING');
      clock.advance(1);
      await within('the stop', stopped);
      door.open();
      await turn();
      await turn();
      expect(feeder.lifecycle.state).toBe('STOPPED');
    });

    test('leaves the list in force, and does so once', async () => {
      object.put('ann\n');
      const feeder = await started();
      await Promise.all([feeder.stop(1_000), feeder.stop(1_000)]);
      expect(await refused()).toEqual(['ann']);
      expect(feeder.readiness().reason).toBe('stopped');
      expect(clock.timers).toBe(0);
    });
  });

  test('tells how far a long load is', async () => {
    object.put(Array.from({ length: 120_000 }, (_, n) => `client ${n}\n`).join(''));
    const told: LoadProgress[] = [];
    let reason: string | undefined;
    const feeder = create({
      onProgress: (progress) => {
        told.push(progress);
        reason = feeder.readiness().reason;
      },
    });
    feeder.start();
    await within('the first list', feeder.loadedOnce());
    expect(told.map(({ names }) => names >= 100_000)).toEqual([true]);
    expect(reason).toBe(`fraud/fraud-list.txt is being loaded, ${told[0]?.names ?? 0} names so far`);
    expect(log.some((line) => line.includes('"loading the fraud list"'))).toBe(true);
  });

  test('logs no name, but how the lines begin that are none', async () => {
    object.put(`ann\nbob\nDANGER\u0007${'x'.repeat(100)}\n`);
    await started();
    const text = log.join('');
    expect(text).not.toMatch(/\bann\b|\bbob\b|x{20}/);
    expect(text).toContain('"line":3');
    expect(text).toContain('DANGER\\\\u{7}xxx');
  });

  test('counts loads, lines and ages', async () => {
    object.put('ann\nb\tb\n');
    const feeder = await started();
    await pass(INTERVAL_MS);
    feeder.collect();
    expect(await valueOf('in_force')).toEqual({ '': 1 });
    expect(await valueOf('names')).toEqual({ '': 1 });
    expect(await valueOf('refused_lines')).toEqual({ '': 1 });
    expect(await valueOf('age_seconds')).toEqual({ loaded: 30, verified: 29 });
    expect(await valueOf('last_failure_timestamp_seconds')).toEqual({ '': 0 });
    await pass(2 * CHECK_MS);
    feeder.collect();
    expect(await valueOf('age_seconds')).toEqual({ loaded: 32, verified: 1 });
    object.remove();
    await pass(INTERVAL_MS);
    expect(await valueOf('last_failure_timestamp_seconds')).toEqual({
      '': expect.closeTo(clock.now() / 1000, -1),
    });
    data.flush();
    await pass(CHECK_MS);
    feeder.collect();
    expect(await valueOf('age_seconds')).toEqual({});
    expect(await valueOf('in_force')).toEqual({ '': 0 });
  });
});

describe('two feeders', () => {
  test('bring the latest list into force and see it both', async () => {
    object.put('ann\n');
    const [first, second] = [await started(), await started()];
    object.put('bob\n');
    await pass(INTERVAL_MS);
    expect(await refused()).toEqual(['bob']);
    data.flush();
    await pass(2 * CHECK_MS);
    expect(await refused()).toEqual(['bob']);
    expect(first.list).toEqual(second.list);
    expect([first.readiness().ready, second.readiness().ready]).toEqual([true, true]);
  });

  test('replace an older list, that a slow one has brought into force, soon', async () => {
    // It reads the older object and is held up before it loads; the cache forgets what was loaded meanwhile.
    object.put('ann\n');
    const door = gate();
    let held = false;
    const slow = create({
      cache: stepped(cache, async (when, call) => {
        if (held || when !== 'before' || call !== 'addCounting') return;
        held = true;
        await door.opened;
      }),
    });
    slow.start();
    await eventually('the slow one has the older list', () => held);
    object.put('bob\n');
    const fast = create();
    fast.start();
    await within('the fast one is done', fast.firstLook());
    expect(await refused()).toEqual(['bob']);
    await fast.stop(1_000);
    data.flush();
    door.open();
    await within('the slow one is done', slow.firstLook());
    expect(await refused()).toEqual(['ann']);
    await paused();
    await pass(2 * CHECK_MS);
    expect(await refused()).toEqual(['bob']);
  });
});
