import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pino } from 'pino';
import {
  copySchedule,
  foldOfTopic,
  openParkingStores,
  parkedWrite,
  PARKING_KEYS,
  type ParkingStores,
  scheduleIn,
} from '../../test/helpers/local-parking.ts';
import { within } from '../../test/helpers/eventually.ts';
import type { NewRecord } from '../ports/event-log.ts';
import { PortError } from '../ports/port-error.ts';
import { Follower } from './follower.ts';
import { OwnParks } from './own-parks.ts';
import { PARKED_WRITES, recordOf, tombstoneOf } from './parked-topic.ts';
import type { ParkedWrite } from './parked-write.ts';
import { Schedule } from './schedule.ts';

const TOPIC = PARKED_WRITES.name;

let stores: ParkingStores;
let follower: Follower;

/** Another process: it shares the stores and nothing else; its calls are not tapped. */
const anotherFollower = (): Follower =>
  new Follower({
    log: stores.direct.log,
    schedule: new Schedule(stores.direct.cache),
    own: new OwnParks(),
    clock: stores.clock,
    logger: pino({ level: 'silent' }),
  });

beforeAll(async () => {
  stores = await openParkingStores();
});

beforeEach(async () => {
  await stores.reset();
  follower = new Follower({
    log: stores.log,
    schedule: new Schedule(stores.cache),
    own: new OwnParks(),
    clock: stores.clock,
    logger: pino({ level: 'silent' }),
  });
  await follower.follow();
});

afterAll(async () => {
  await stores.close();
});

const append = (...records: NewRecord[]): Promise<void> => stores.direct.log.append(records);
const park = (...writes: ParkedWrite[]): Promise<void> => append(...writes.map(recordOf));

async function expectScheduleOfTopic(): Promise<void> {
  const schedule = await scheduleIn(stores.cacheData, stores.direct.cache);
  expect(schedule).toEqual(await foldOfTopic(stores.direct.log));
}

/** Tells a schedule that was built anew from one that went on. */
async function epoch(): Promise<string | undefined> {
  return (await stores.direct.cache.fields('parked:entries', ['\0epoch']))[0];
}

describe('following', () => {
  test('shows what is parked, set aside, put off and resolved', async () => {
    await park(parkedWrite(1), parkedWrite(2), parkedWrite(3), parkedWrite(4));
    await follower.follow();
    expect(follower.counts).toEqual({ parked: 4, deadLetters: 0 });
    await park(parkedWrite(2, { state: 'DEAD_LETTER', attempts: 9 }), parkedWrite(3, { dueAt: 5 }));
    await append(tombstoneOf(parkedWrite(4)));
    await follower.follow();
    expect(follower.counts).toEqual({ parked: 2, deadLetters: 1 });
    expect(follower.behind).toBe(0);
    await expectScheduleOfTopic();
    expect((await scheduleIn(stores.cacheData, stores.cache)).due).toEqual({
      'bank.transaction\nevent-1\nbody': parkedWrite(1).dueAt,
      'bank.transaction\nevent-3\nbody': 5,
    });
  });

  test('keeps several bodies of one event apart', async () => {
    await park(parkedWrite(1, { bodyHash: 'one' }), parkedWrite(1, { bodyHash: 'two' }));
    await follower.follow();
    await park(parkedWrite(1, { bodyHash: 'two', state: 'DEAD_LETTER', cause: 'KEY_REUSED' }));
    await follower.follow();
    expect(follower.counts).toEqual({ parked: 1, deadLetters: 1 });
    await expectScheduleOfTopic();
    await append(tombstoneOf(parkedWrite(1, { bodyHash: 'one' })));
    await follower.follow();
    await expectScheduleOfTopic();
  });

  test('takes more records than one chunk holds, with gaps where the topic was compacted', async () => {
    const writes = Array.from({ length: 700 }, (_, n) => parkedWrite(n));
    await park(...writes);
    await park(...writes.filter((_, n) => n % 3 > 0).map((write) => ({ ...write, attempts: 1 })));
    await append(...writes.filter((_, n) => n % 5 === 0).map(tombstoneOf));
    await follower.follow();
    await expectScheduleOfTopic();
    expect(follower.counts).toEqual({ parked: 560, deadLetters: 0 });
  });

  test('comes to an end where nothing is left: all was resolved, and the tombstones are gone', async () => {
    await park(parkedWrite(1));
    await append(tombstoneOf(parkedWrite(1)));
    stores.clock.advance(2 * 24 * 3_600_000);
    await stores.direct.log.purge();
    await follower.follow();
    expect(follower.behind).toBe(0);
    expect(follower.counts).toEqual({ parked: 0, deadLetters: 0 });
  });

  test('passes over records that are no parked writes', async () => {
    const value = (text: string): Uint8Array => Buffer.from(text);
    const { key, topic } = recordOf(parkedWrite(7));
    await append(
      { topic, key: 'no name', value: value('{}') },
      { topic, key, value: value('no JSON') },
      { topic, key: 'a\nb\nc', value: value('{"state":"PARKED"}') },
      { topic, key: 'a\nb\nother', value: recordOf(parkedWrite(1)).value },
      recordOf(parkedWrite(8)),
    );
    await follower.follow();
    expect(Object.keys((await scheduleIn(stores.cacheData, stores.cache)).due)).toEqual([
      'bank.transaction\nevent-8\nbody',
    ]);
  });

  test('that ends without an answer goes on where the schedule is, whether or not a change was made', async () => {
    await park(parkedWrite(1));
    stores.cacheTap.before = (method) => {
      if (method === 'apply') throw new PortError('timeout', method, 'for a test');
    };
    await expect(follower.follow()).rejects.toMatchObject({ kind: 'timeout' });
    expect(follower.behind).toBe(1);
    stores.cacheTap.mend();
    await follower.follow();
    await expectScheduleOfTopic();
  });

  test('sees what was appended before the call, also while a run is under way', async () => {
    const passed = Promise.withResolvers<undefined>();
    const held = Promise.withResolvers<undefined>();
    stores.cacheTap.before = async (method) => {
      if (method !== 'apply') return;
      passed.resolve(undefined);
      await held.promise;
    };
    const first = follower.follow();
    await within('the run is at its end', passed.promise);
    await park(parkedWrite(1));
    const [second, third] = [follower.follow(), follower.follow()];
    stores.cacheTap.mend();
    held.resolve(undefined);
    await first;
    expect(follower.counts).toEqual({ parked: 0, deadLetters: 0 });
    await Promise.all([second, third]);
    expect(follower.counts).toEqual({ parked: 1, deadLetters: 0 });
    await follower.idle();
  });
});

describe('a schedule that the cache has lost is built anew', () => {
  beforeEach(async () => {
    await park(parkedWrite(1), parkedWrite(2), parkedWrite(3, { state: 'DEAD_LETTER' }));
    await append(tombstoneOf(parkedWrite(2)));
    await follower.follow();
  });

  test('after a flush', async () => {
    stores.cacheData.flush();
    await follower.follow();
    await expectScheduleOfTopic();
  });

  test.each(PARKING_KEYS)('after the loss of %s alone', async (key) => {
    const before = await epoch();
    await stores.direct.cache.apply([{ op: 'delete', key }]);
    await follower.follow();
    await expectScheduleOfTopic();
    expect(await epoch()).not.toBe(before);
  });

  test.each(PARKING_KEYS)('after the loss of %s alone while records are applied', async (key) => {
    await park(parkedWrite(4));
    stores.cacheTap.before = async (method) => {
      if (method !== 'apply') return;
      stores.cacheTap.mend();
      await stores.direct.cache.apply([{ op: 'delete', key }]);
    };
    await follower.follow();
    await expectScheduleOfTopic();
  });

  test('by a process that starts with an empty cache', async () => {
    stores.cacheData.flush();
    const started = anotherFollower();
    await started.follow();
    expect(started.counts).toEqual({ parked: 1, deadLetters: 1 });
    await expectScheduleOfTopic();
  });

  test('and left as it is after a failover that lost nothing', async () => {
    const before = await epoch();
    stores.cacheData.failOver();
    await park(parkedWrite(5));
    await follower.follow();
    await expectScheduleOfTopic();
    expect(await epoch()).toBe(before);
  });

  test('from where it stands when a replica that lags behind takes over', async () => {
    const promote = copySchedule(stores.cacheData);
    const before = await epoch();
    await park(parkedWrite(4), parkedWrite(1, { attempts: 3 }));
    await append(tombstoneOf(parkedWrite(3)));
    await follower.follow();
    promote();
    await follower.follow();
    await expectScheduleOfTopic();
    expect(await epoch()).toBe(before);
  });

  test('a change that was made from what the failed server held does not fit its replica', async () => {
    const schedule = new Schedule(stores.direct.cache);
    const promote = copySchedule(stores.cacheData);
    const generation = follower.generation ?? '';
    await park(parkedWrite(4));
    await follower.follow();
    const { head } = await schedule.look(generation);
    promote();
    // As many changes as the failed server had seen, but other ones.
    await park(parkedWrite(5));
    await follower.follow();
    if (head === undefined) throw new Error('the schedule is whole');
    expect(await schedule.advance(head, head.offset, [])).toBeUndefined();
    await expectScheduleOfTopic();
  });

  test('entries of another version are not changed, also when a replica brings the version back', async () => {
    const schedule = new Schedule(stores.cache);
    const generation = follower.generation ?? '';
    const { head } = await schedule.look(generation);
    if (head === undefined) throw new Error('the schedule is whole');
    const promote = copySchedule(stores.cacheData);
    await park(parkedWrite(1, { bodyHash: 'later' }));
    await follower.follow();
    stores.cacheTap.before = (method) => {
      if (method === 'apply') promote();
    };
    const change = { key: parkedWrite(1), write: parkedWrite(1, { attempts: 1 }) };
    expect(await schedule.advance(head, head.offset, [change])).toBeUndefined();
    stores.cacheTap.mend();
    await follower.follow();
    await expectScheduleOfTopic();
  });

  test('once, by one of the followers that see the loss', async () => {
    const schedule = new Schedule(stores.cache);
    const generation = follower.generation ?? '';
    stores.cacheData.flush();
    const found = await schedule.look(generation);
    await schedule.restart(found, generation, 0n);
    const begun = await epoch();
    await schedule.restart(found, generation, 0n);
    expect(await epoch()).toBe(begun);
  });

  test('when its topic was made anew', async () => {
    const [topic] = await stores.log.ensureTopics([PARKED_WRITES]);
    // What an older topic of the same name would have left: a schedule of another generation.
    const older = new Schedule(stores.direct.cache);
    await older.restart(await older.look('older'), 'older', 0n);
    const { head } = await older.look('older');
    if (head === undefined) throw new Error('the schedule was begun');
    await older.advance(head, 77n, [{ key: parkedWrite(9), write: parkedWrite(9) }]);
    await follower.follow();
    await expectScheduleOfTopic();
    expect(follower.generation).toBe(topic?.generation);
  });

  test('when the topic ends before the place that it shows', async () => {
    const schedule = new Schedule(stores.direct.cache);
    const { head } = await schedule.look(follower.generation ?? '');
    if (head === undefined) throw new Error('the schedule is whole');
    await schedule.advance(head, 1_000_000n, [{ key: parkedWrite(9), write: parkedWrite(9) }]);
    await follower.follow();
    await expectScheduleOfTopic();
  });

  test('again and again, but not for ever in one run', async () => {
    stores.cacheTap.before = () => stores.cacheData.flush();
    await expect(follower.follow()).rejects.toMatchObject({ kind: 'unavailable' });
    stores.cacheTap.mend();
    await follower.follow();
    await expectScheduleOfTopic();
  });
});

test('the generation of the topic is asked again before a schedule is given up', async () => {
  const generations = ['first', 'second'];
  const { log, cache } = stores.direct;
  const remade = new Follower({
    log: new Proxy(log, {
      get: (target, property) =>
        property === 'ensureTopics'
          ? () => Promise.resolve([{ name: TOPIC, generation: generations[0], partitions: 1 }])
          : (Reflect.get(target, property) as () => unknown).bind(target),
    }),
    schedule: new Schedule(cache),
    own: new OwnParks(),
    clock: stores.clock,
    logger: pino({ level: 'silent' }),
  });
  await remade.follow();
  expect(remade.generation).toBe('first');
  generations.shift();
  // Another process has seen that the topic is another one, and has built its schedule.
  const schedule = new Schedule(cache);
  await schedule.restart(await schedule.look('second'), 'second', 0n);
  const built = await epoch();
  await remade.follow();
  expect(remade.generation).toBe('second');
  expect(await epoch()).toBe(built);
});

test('followers that race apply every record once', async () => {
  const others = [anotherFollower(), anotherFollower(), anotherFollower()];
  for (let round = 0; round < 10; round++) {
    const first = round * 100;
    await park(...Array.from({ length: 100 }, (_, n) => parkedWrite(first + n)));
    await Promise.all([
      follower.follow(),
      ...others.map((other) => other.follow()),
      append(tombstoneOf(parkedWrite(first)), recordOf(parkedWrite(first + 1, { state: 'DEAD_LETTER' }))),
    ]);
    if (round % 4 === 3) stores.cacheData.flush();
  }
  await Promise.all([follower, ...others].map((each) => each.follow()));
  await expectScheduleOfTopic();
  for (const other of others) expect(other.counts).toEqual({ parked: 980, deadLetters: 10 });
});

describe('reading', () => {
  test('waits for what is in the topic at the time', async () => {
    await park(parkedWrite(1));
    const schedule = new Schedule(stores.cache);
    const read = follower.read(1_000, 'test', async (generation) => {
      const { head, writes } = await schedule.look(generation, [parkedWrite(1)]);
      return { head, value: writes[0] };
    });
    expect(await read).toMatchObject([{ eventId: 'event-1' }]);
  });

  test('is unavailable when the schedule does not come to the end in time', async () => {
    const held = Promise.withResolvers<undefined>();
    stores.cacheTap.before = () => held.promise;
    const read = follower.read(1_000, 'test', (generation) =>
      new Schedule(stores.cache).look(generation).then(({ head }) => ({ head, value: 1 })),
    );
    const refused = expect(read).rejects.toMatchObject({ kind: 'unavailable', call: 'test' });
    stores.clock.advance(1_000);
    await refused;
    held.resolve(undefined);
  });
});

describe('whatever happens', () => {
  type Act =
    | { readonly do: 'record'; readonly event: number; readonly body: number; readonly as: number }
    | { readonly do: 'lose'; readonly key: number }
    | { readonly do: 'flush' | 'failOver' | 'copy' | 'promote' | 'follow' | 'follow elsewhere' };
  const record = fc.record({
    do: fc.constant('record' as const),
    event: fc.nat(3),
    body: fc.nat(1),
    as: fc.nat(3),
  });
  const trouble = fc.oneof(
    fc.record({ do: fc.constant('lose' as const), key: fc.nat(2) }),
    fc.record({ do: fc.constantFrom('flush', 'failOver', 'copy', 'promote', 'follow elsewhere') }),
  );
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 6, arbitrary: record },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('follow' as const) }) },
    { weight: 3, arbitrary: trouble },
  );

  test('the schedule ends as a naive fold of the topic', async () => {
    const other = anotherFollower();
    let promote = (): void => {};
    const write = (event: number, body: number, as: number): NewRecord => {
      const parked = parkedWrite(event, { bodyHash: `body-${body}`, attempts: as, dueAt: 1_000 + as });
      if (as === 0) return tombstoneOf(parked);
      return recordOf(as === 1 ? { ...parked, state: 'DEAD_LETTER' } : parked);
    };
    const perform = async (step: Act): Promise<void> => {
      switch (step.do) {
        case 'record':
          await append(write(step.event, step.body, step.as));
          break;
        case 'lose':
          stores.cacheData.delete(PARKING_KEYS[step.key] ?? '');
          break;
        case 'flush':
          stores.cacheData.flush();
          break;
        case 'failOver':
          stores.cacheData.failOver();
          break;
        case 'copy':
          promote = copySchedule(stores.cacheData);
          break;
        case 'promote':
          promote();
          break;
        case 'follow':
          // A run in which too much is lost gives up; the next one goes on.
          await follower.follow().catch(() => {});
          break;
        case 'follow elsewhere':
          await other.follow();
      }
    };
    const property = fc.asyncProperty(
      fc.array(act, { maxLength: 30, size: 'max' }),
      // What happens within runs: before the call of the cache with this number.
      fc.dictionary(fc.nat(60).map(String), fc.oneof(record, trouble), { maxKeys: 12, size: 'max' }),
      async (acts, within) => {
        let calls = 0;
        stores.cacheTap.before = async () => {
          const meanwhile = within[String(calls)];
          calls += 1;
          if (meanwhile !== undefined) await perform(meanwhile);
        };
        for (const each of acts) await perform(each);
        stores.cacheTap.mend();
        await Promise.all([follower.follow(), other.follow()]);
        await expectScheduleOfTopic();
        const { counts } = await foldOfTopic(stores.direct.log);
        expect([follower.counts?.parked, follower.counts?.deadLetters]).toEqual(counts);
      },
    );
    await fc.assert(property, { numRuns: 40 });
    // Hundreds of appends, each made durable: long on a busy machine.
  }, 120_000);
});
