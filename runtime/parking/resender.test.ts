import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { eventually } from '../../test/helpers/eventually.ts';
import {
  foldOfTopic,
  openParkingStores,
  parkedWrite,
  type ParkingStores,
  scheduleIn,
} from '../../test/helpers/local-parking.ts';
import { failed, type FailureCause, type Outcome } from '../domain-kit/outcome.ts';
import { createMetrics } from '../metrics.ts';
import { Follower } from './follower.ts';
import { OwnParks } from './own-parks.ts';
import { recordOf, tombstoneOf } from './parked-topic.ts';
import type { ParkedWrite } from './parked-write.ts';
import { Resender, type ResenderOptions } from './resender.ts';
import { Schedule } from './schedule.ts';

const metrics = createMetrics();
const RETRY = { maxAttempts: 4, initialMs: 1_000, maxMs: 3_000 };
const LIMITS = { concurrency: 32, sendMs: 10_000, pollMs: 250 };
const LEASE_MS = 25_000;
const INSERTED: Outcome<Uint8Array> = { verdict: 'INSERTED', response: new Uint8Array(0) };

let stores: ParkingStores;
let schedule: Schedule;
let follower: Follower;
let resender: Resender;
/** Event ids in the order in which they were sent. */
let sent: string[];
let answer: (write: ParkedWrite) => Outcome<Uint8Array> | Promise<Outcome<Uint8Array>>;

beforeAll(async () => {
  stores = await openParkingStores();
});

afterAll(async () => {
  await stores.close();
});

beforeEach(async () => {
  await stores.reset();
  const { clock, log, cache } = stores;
  const logger = pino({ level: 'silent' });
  schedule = new Schedule(cache);
  follower = new Follower({ log, schedule, own: new OwnParks(), clock, logger });
  await follower.follow();
  sent = [];
  answer = () => INSERTED;
  resender = newResender();
});

function newResender(more: Partial<ResenderOptions> = {}): Resender {
  return new Resender({
    schedule,
    follower,
    append: async (records) => {
      await stores.log.append(records);
      await follower.follow();
    },
    send: async (write) => {
      sent.push(write.eventId);
      return answer(write);
    },
    retry: RETRY,
    limits: LIMITS,
    clock: stores.clock,
    logger: pino({ level: 'silent' }),
    metrics,
    // No jitter.
    random: () => 0,
    ...more,
  });
}

/** Parks writes that are due now. */
async function park(...events: readonly number[]): Promise<void> {
  await parkAs(...events.map((event) => parkedWrite(event, { dueAt: stores.clock.now() })));
}

async function parkAs(...writes: readonly ParkedWrite[]): Promise<void> {
  await stores.direct.log.append(writes.map(recordOf));
  await follower.follow();
}

/** The writes that are parked, in the order of their event ids. */
async function parked(): Promise<readonly ParkedWrite[]> {
  const { entries } = await foldOfTopic(stores.direct.log);
  expect((await scheduleIn(stores.cacheData, stores.direct.cache)).entries).toEqual(entries);
  const events = Object.keys(entries).toSorted();
  const { writes } = await schedule.look(
    follower.generation ?? '',
    events.map((event) => {
      const [operation = '', eventId = ''] = event.split('\n');
      return { operation, eventId };
    }),
  );
  return writes.flat();
}

async function dueScore(event: number): Promise<number | undefined> {
  const { due } = await scheduleIn(stores.cacheData, stores.direct.cache);
  return due[`bank.transaction\nevent-${event}\nbody`];
}

/** Lets time go by as the loop would, round after round, for so many ms. */
async function runFor(ms: number, resenders: readonly Resender[] = [resender]): Promise<void> {
  const end = stores.clock.now() + ms;
  while (stores.clock.now() < end) {
    const pauses = await Promise.all(resenders.map((each) => each.round()));
    stores.clock.advance(Math.max(Math.min(...pauses), 1));
  }
}

describe('a decision', () => {
  test.each<Outcome<Uint8Array>>([
    { verdict: 'ANSWERED', response: new Uint8Array(0) },
    INSERTED,
    { verdict: 'DUPLICATED', response: new Uint8Array(0) },
    { verdict: 'REFUSED', reason: 'FRAUDULENT' },
    { verdict: 'DISCARDED' },
  ])('of the store resolves a write: $verdict', async (outcome) => {
    await park(1, 2);
    answer = () => outcome;
    await resender.round();
    expect(await parked()).toEqual([]);
    expect(sent.toSorted()).toEqual(['event-1', 'event-2']);
  });

  test('that the event id belongs to another body makes a dead letter at once', async () => {
    await park(1);
    answer = () => ({ verdict: 'KEY_REUSED' });
    await resender.round();
    expect(await parked()).toMatchObject([
      { state: 'DEAD_LETTER', cause: 'KEY_REUSED', attempts: 0, dueAt: stores.clock.now() },
    ]);
    await runFor(60_000);
    expect(sent).toHaveLength(1);
  });
});

describe('a write that fails itself', () => {
  test('is tried again after growing pauses, and set aside in the end', async () => {
    await park(1);
    answer = () => failed('INTERNAL', 'for a test', true);
    const pauses: number[] = [];
    for (let attempt = 1; attempt < RETRY.maxAttempts; attempt++) {
      await resender.round();
      const [write] = await parked();
      expect(write).toMatchObject({
        state: 'PARKED',
        attempts: attempt,
        cause: 'INTERNAL',
        message: 'for a test',
      });
      const pauseMs = (write?.dueAt ?? 0) - stores.clock.now();
      pauses.push(pauseMs);
      stores.clock.advance(pauseMs - 1);
      await resender.round();
      expect(sent).toHaveLength(attempt);
      stores.clock.advance(1);
    }
    expect(pauses).toEqual([1_000, 2_000, 3_000]);
    await resender.round();
    expect(await parked()).toMatchObject([{ state: 'DEAD_LETTER', attempts: 4, dueAt: stores.clock.now() }]);
    await runFor(60_000);
    expect(sent).toHaveLength(4);
  });

  test.each<FailureCause>(['INVALID_REQUEST', 'INTERNAL', 'REPLY_TOO_LARGE'])(
    'has an attempt: %s',
    async (cause) => {
      await park(1);
      answer = () => failed(cause, '', true);
      await resender.round();
      expect(await parked()).toMatchObject([{ attempts: 1, cause }]);
      expect(resender.isBreakerOpen).toBe(false);
    },
  );

  test('has one also when sending it fails by a defect', async () => {
    await park(1, 2);
    answer = ({ eventId }) => (eventId === 'event-1' ? Promise.reject(new Error('a defect')) : INSERTED);
    await resender.round();
    expect(await parked()).toMatchObject([{ eventId: 'event-1', attempts: 1, cause: 'INTERNAL' }]);
  });

  test('does not hold up those beside it', async () => {
    answer = ({ eventId }) => (eventId === 'event-0' ? failed('INTERNAL', '', true) : INSERTED);
    await park(...Array.from({ length: 50 }, (_, n) => n));
    await runFor(20_000);
    expect(await parked()).toMatchObject([{ eventId: 'event-0', state: 'DEAD_LETTER' }]);
  });
});

describe('while something is away', () => {
  const AWAY: readonly FailureCause[] = [
    'FULL',
    'LINK_LOST',
    'EXPIRED',
    'STORE_UNAVAILABLE',
    'LOG_UNAVAILABLE',
    'CACHE_UNAVAILABLE',
    'UNKNOWN_OPERATION',
  ];

  test.each(AWAY)('a write has no attempt and is due again at once: %s', async (cause) => {
    await park(1);
    answer = () => failed(cause, '', true);
    await resender.round();
    expect(await parked()).toMatchObject([{ state: 'PARKED', attempts: 0, cause: 'EXPIRED' }]);
    expect(await dueScore(1)).toBe(stores.clock.now());
    expect(resender.isBreakerOpen).toBe(true);
  });

  test('one write at a time probes, after growing pauses, until one is decided', async () => {
    await park(...Array.from({ length: 40 }, (_, n) => n));
    answer = () => failed('STORE_UNAVAILABLE', '', true);
    const pauses = [await resender.round()];
    expect(sent).toHaveLength(32);
    for (let probe = 1; probe <= 5; probe++) {
      stores.clock.advance(pauses.at(-1) ?? 0);
      pauses.push(await resender.round());
      expect(sent).toHaveLength(32 + probe);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    answer = () => INSERTED;
    stores.clock.advance(5_000);
    expect(await resender.round()).toBe(0);
    expect(sent).toHaveLength(38);
    expect(resender.isBreakerOpen).toBe(false);
    await resender.round();
    await resender.round();
    expect(await parked()).toEqual([]);
  });

  test('an answer that is no decision brings the probes back to the first pace, and no more', async () => {
    await park(1, 2, 3);
    answer = () => failed('LINK_LOST', '', true);
    for (let probe = 0; probe < 4; probe++) stores.clock.advance(await resender.round());
    answer = () => failed('INTERNAL', '', true);
    expect(await resender.round()).toBe(500);
    expect(resender.isBreakerOpen).toBe(true);
  });

  test('an hour makes no dead letter, and everything is resolved soon after it', async () => {
    await park(...Array.from({ length: 100 }, (_, n) => n));
    answer = () => failed('STORE_UNAVAILABLE', '', true);
    await runFor(3_600_000);
    const writes = await parked();
    expect(writes).toHaveLength(100);
    expect(writes.every(({ state, attempts }) => state === 'PARKED' && attempts === 0)).toBe(true);
    // Every write probed in its turn.
    expect(new Set(sent).size).toBe(100);
    expect(sent.length).toBeLessThan(1_000);
    answer = () => INSERTED;
    await runFor(10_000);
    expect(await parked()).toEqual([]);
  });

  test('one that always times out lets the others pass', async () => {
    answer = ({ eventId }) => (eventId === 'event-0' ? failed('EXPIRED', '', true) : INSERTED);
    await park(0);
    for (let round = 0; round < 10; round++) {
      await runFor(6_000);
      await park(round * 2 + 1, round * 2 + 2);
    }
    await runFor(12_000);
    expect(await parked()).toMatchObject([{ eventId: 'event-0', state: 'PARKED', attempts: 0 }]);
  });

  test('many that always time out let the others pass', async () => {
    answer = ({ eventId }) => (Number(eventId.slice(6)) < 20 ? failed('EXPIRED', '', true) : INSERTED);
    await park(...Array.from({ length: 60 }, (_, n) => n));
    await runFor(150_000);
    expect(await parked()).toHaveLength(20);
  });

  test('a send that never ends is given up after its time', async () => {
    await park(1);
    answer = () => new Promise(() => {});
    const round = resender.round();
    await eventually('the write is sent', () => sent.length === 1);
    stores.clock.advance(LIMITS.sendMs);
    await round;
    expect(await parked()).toMatchObject([{ attempts: 0, state: 'PARKED' }]);
    expect(resender.isBreakerOpen).toBe(true);
  });

  test('the breaker closes when others have resolved everything', async () => {
    await park(1);
    answer = () => failed('LINK_LOST', '', true);
    await resender.round();
    await stores.direct.log.append([tombstoneOf(parkedWrite(1))]);
    await follower.follow();
    await resender.round();
    expect(resender.isBreakerOpen).toBe(false);
  });
});

test('writes are sent when they are due, the longest due first, a bounded number at once', async () => {
  const now = stores.clock.now();
  await parkAs(...Array.from({ length: 70 }, (_, n) => parkedWrite(n, { dueAt: now - 100 + n })));
  await parkAs(parkedWrite(99, { dueAt: now + 1 }));
  let inFlight = 0;
  let most = 0;
  answer = async () => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    await stores.direct.log.ranges('parked_writes');
    inFlight -= 1;
    return INSERTED;
  };
  expect([await resender.round(), await resender.round(), await resender.round()]).toEqual([0, 0, 250]);
  expect(sent.slice(0, 32).toSorted()).toEqual(Array.from({ length: 32 }, (_, n) => `event-${n}`).toSorted());
  expect(most).toBe(32);
  expect(await parked()).toMatchObject([{ eventId: 'event-99' }]);
});

describe('leases', () => {
  test('keep a write whose end could not be stored until they run out', async () => {
    await park(1);
    stores.logTap.cut();
    await resender.round();
    stores.logTap.mend();
    stores.clock.advance(LEASE_MS - 1);
    await resender.round();
    expect(sent).toHaveLength(1);
    stores.clock.advance(1);
    await resender.round();
    expect(sent).toHaveLength(2);
    expect(await parked()).toEqual([]);
  });

  test('keep resenders off each other', async () => {
    await park(...Array.from({ length: 200 }, (_, n) => n));
    await runFor(1_000, [resender, newResender(), newResender()]);
    expect(sent).toHaveLength(200);
    expect(await parked()).toEqual([]);
  });

  test('that are lost with the cache make nothing worse than a second send', async () => {
    await park(1, 2);
    const other = newResender();
    const first = Promise.withResolvers<Outcome<Uint8Array>>();
    answer = () => first.promise;
    const round = resender.round();
    await eventually('both are sent', () => sent.length === 2);
    stores.cacheData.flush();
    await follower.follow();
    answer = ({ eventId }) => (eventId === 'event-1' ? INSERTED : failed('INTERNAL', '', true));
    await other.round();
    expect(sent).toHaveLength(4);
    // Late: event 1 is resolved and event 2 has its attempt already.
    first.resolve(failed('INTERNAL', 'late', true));
    await round;
    expect(await parked()).toMatchObject([{ eventId: 'event-2', attempts: 1 }]);
  });

  test('are given back when the process stops before it has sent', async () => {
    await park(1);
    const stop = new AbortController();
    stores.cacheTap.before = (method) => {
      if (method === 'claimDue') stop.abort();
    };
    await resender.round(stop.signal);
    expect(sent).toEqual([]);
    expect(await dueScore(1)).toBe(stores.clock.now());
  });

  test('given back do not bring back what was resolved meanwhile', async () => {
    await park(1);
    answer = async () => {
      await stores.direct.log.append([tombstoneOf(parkedWrite(1))]);
      await follower.follow();
      return failed('LINK_LOST', '', true);
    };
    await resender.round();
    expect(await parked()).toEqual([]);
    expect(await dueScore(1)).toBeUndefined();
  });
});

describe('what has no entry', () => {
  const orphan = 'bank.transaction\nnobody\nbody';
  const strange = 'no name of a write';
  const addOrphans = (): Promise<boolean> =>
    stores.direct.cache.apply([
      {
        op: 'addScored',
        key: 'parked:due',
        members: [orphan, strange].map((member) => ({ member, score: 1 })),
        keep: 'last',
      },
    ]);

  test('is dropped from the set', async () => {
    await park(1);
    await addOrphans();
    await resender.round();
    expect(sent).toEqual(['event-1']);
    expect((await scheduleIn(stores.cacheData, stores.direct.cache)).due).toEqual({});
  });

  test('is left alone when the schedule changes meanwhile: it may have got one', async () => {
    await addOrphans();
    let isFollowing = false;
    stores.cacheTap.before = async (method) => {
      if (method !== 'apply' || isFollowing) return;
      isFollowing = true;
      await parkAs(parkedWrite(1, { eventId: 'nobody' }));
    };
    await resender.round();
    expect((await scheduleIn(stores.cacheData, stores.direct.cache)).due).toMatchObject({
      [orphan]: 1_700_000_000_001,
    });
  });

  test('is left alone when the entries are lost, for a follower to see', async () => {
    await park(1);
    await stores.direct.cache.apply([{ op: 'delete', key: 'parked:entries' }]);
    await resender.round();
    expect(sent).toEqual([]);
    await follower.follow();
    await resender.round();
    expect(sent).toEqual(['event-1']);
  });
});

describe('the loop', () => {
  test('goes on while the cache is away, and ends when it is told to', async () => {
    await park(1);
    const stop = new AbortController();
    stores.cacheTap.cut();
    const running = resender.run(stop.signal);
    await eventually('a round has failed', () => stores.clock.timers > 0);
    stores.cacheTap.mend();
    await eventually('the write is resolved', async () => {
      stores.clock.advance(LIMITS.pollMs);
      return (await foldOfTopic(stores.direct.log)).counts[0] === 0;
    });
    stop.abort();
    await running;
    expect(stores.clock.timers).toBe(0);
  });

  test('does nothing before the topic is known', async () => {
    const early = newResender({ follower: { generation: undefined, counts: undefined } });
    expect(await early.round()).toBe(LIMITS.pollMs);
  });
});

test('how long a write is overdue shows until none is', async () => {
  await parkAs(parkedWrite(1, { dueAt: 10 }), parkedWrite(2, { dueAt: 20 }));
  answer = () => failed('LINK_LOST', '', true);
  await resender.round();
  stores.clock.advance(1);
  await resender.round();
  expect(resender.oldestDueAt).toBe(10);
  answer = () => INSERTED;
  await runFor(2_000);
  expect(resender.oldestDueAt).toBeUndefined();
});
