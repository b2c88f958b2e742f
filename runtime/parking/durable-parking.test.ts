import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { eventually, turn } from '../../test/helpers/eventually.ts';
import {
  foldOfTopic,
  openParkingStores,
  parkedWrite,
  type ParkingStores,
  scheduleIn,
} from '../../test/helpers/local-parking.ts';
import { failed, type Outcome } from '../domain-kit/outcome.ts';
import { createMetrics } from '../metrics.ts';
import { PortError } from '../ports/port-error.ts';
import { DurableParking, type DurableParkingOptions } from './durable-parking.ts';
import { recordOf, tombstoneOf } from './parked-topic.ts';
import type { NewParkedWrite, ParkedWrite } from './parked-write.ts';

const INSERTED: Outcome<Uint8Array> = { verdict: 'INSERTED', response: new Uint8Array(0) };
const UNAVAILABLE = { name: 'PortError', kind: 'unavailable' };

let stores: ParkingStores;
let opened: DurableParking[];
let logged: Record<string, unknown>[];
let sent: string[];
let answer: (write: ParkedWrite) => Outcome<Uint8Array>;

beforeAll(async () => {
  stores = await openParkingStores();
});

afterAll(async () => {
  await stores.close();
});

beforeEach(async () => {
  await stores.reset();
  opened = [];
  logged = [];
  sent = [];
  answer = () => failed('STORE_UNAVAILABLE', 'for a test', true);
});

afterEach(async () => {
  stores.logTap.mend();
  stores.cacheTap.mend();
  await Promise.all(opened.map((each) => each.stop()));
  expect(stores.clock.timers).toBe(0);
});

const metrics = createMetrics();

function create(more: Partial<DurableParkingOptions> = {}): DurableParking {
  const stream = new Writable({
    write(line: Buffer, _, done): void {
      logged.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });
  const parking = new DurableParking({
    log: stores.log,
    cache: stores.cache,
    clock: stores.clock,
    logger: pino({ base: null }, stream),
    metrics,
    send: (write) => {
      sent.push(write.eventId);
      return Promise.resolve(answer(write));
    },
    retry: { maxAttempts: 3, initialMs: 1_000, maxMs: 10_000 },
    random: () => 0,
    ...more,
  });
  opened.push(parking);
  return parking;
}

/** One that has started and followed the topic to its end. */
async function open(more: Partial<DurableParkingOptions> = {}): Promise<DurableParking> {
  const parking = create(more);
  parking.start();
  await parking.find('bank.transaction', 'nothing');
  return parking;
}

function newWrite(event: number, more: Partial<NewParkedWrite> = {}): NewParkedWrite {
  const { operation, eventId, bodyHash, request, cause, message } = parkedWrite(event);
  return { operation, eventId, bodyHash, request, cause, message, ...more };
}

const find = (parking: DurableParking, event: number): Promise<readonly ParkedWrite[]> =>
  parking.find('bank.transaction', `event-${event}`);
const bodies = (parking: DurableParking, event: number): Promise<readonly string[]> | undefined =>
  parking.parkedBodies('bank.transaction', `event-${event}`);
const namesInTopic = async (): Promise<readonly string[]> => {
  const { due, dead } = await foldOfTopic(stores.direct.log);
  return [...Object.keys(due), ...Object.keys(dead)].toSorted();
};

/** Lets time go by in steps until the probe gives a value. */
function inTime<T>(message: string, probe: () => Promise<T | false>, stepMs = 250): Promise<T> {
  return eventually(message, () => {
    stores.clock.advance(stepMs);
    return probe();
  });
}

/** The values of a metric, by its labels. */
async function valuesOf(metric: {
  get(): Promise<{ values: { value: number; labels: object }[] }>;
}): Promise<Record<string, number>> {
  const { values } = await metric.get();
  return Object.fromEntries(values.map(({ value, labels }) => [Object.values(labels).join(), value]));
}

describe('a parked write', () => {
  test('is found, and sent after a pause until the store decides', async () => {
    const parking = await open();
    await parking.park(newWrite(1, { cause: 'LINK_LOST' }));
    const now = stores.clock.now();
    expect(await find(parking, 1)).toEqual([
      {
        ...newWrite(1, { cause: 'LINK_LOST' }),
        request: Buffer.from(newWrite(1).request),
        state: 'PARKED',
        attempts: 0,
        parkedAt: now,
        dueAt: now + 1_000,
      },
    ]);
    expect(sent).toEqual([]);
    await inTime('it is tried', () => Promise.resolve(sent.length > 1));
    answer = () => INSERTED;
    await inTime('it is resolved', async () => (await find(parking, 1)).length === 0);
    expect(await namesInTopic()).toEqual([]);
  });

  test('is followed at once by the process that parked it', async () => {
    const parking = await open();
    await parking.park(newWrite(1));
    const topic = await foldOfTopic(stores.direct.log);
    await eventually('the schedule shows it', async () => {
      const { due } = await scheduleIn(stores.cacheData, stores.direct.cache);
      return Object.keys(due).length === 1;
    });
    expect(await scheduleIn(stores.cacheData, stores.direct.cache)).toEqual(topic);
  });

  test('survives the process and the cache', async () => {
    const first = await open();
    await first.park(newWrite(1));
    await first.stop();
    stores.cacheData.flush();
    answer = () => INSERTED;
    const second = await open();
    expect(await find(second, 1)).toHaveLength(1);
    await inTime('it is resolved', async () => (await find(second, 1)).length === 0);
    expect(sent).toEqual(['event-1']);
  });

  test('stays as it is when it is parked again', async () => {
    const parking = await open();
    await stores.direct.log.append([
      recordOf(parkedWrite(1, { attempts: 2, dueAt: stores.clock.now() + 60_000 })),
      recordOf(parkedWrite(2, { attempts: 3, state: 'DEAD_LETTER' })),
    ]);
    await find(parking, 1);
    const before = [await find(parking, 1), await find(parking, 2)];
    await parking.park(newWrite(1));
    await parking.park(newWrite(2));
    expect([await find(parking, 1), await find(parking, 2)]).toEqual(before);
  });

  test('that was resolved out of sight of the schedule is parked again, not taken for parked', async () => {
    const parking = await open();
    await parking.park(newWrite(1));
    await find(parking, 1);
    await stores.direct.log.append([tombstoneOf(parkedWrite(1))]);
    await parking.park(newWrite(1));
    expect(await namesInTopic()).toHaveLength(1);
  });

  test('is parked anew when it cannot be told whether it is parked', async () => {
    const parking = await open();
    await parking.park(newWrite(1));
    await find(parking, 1);
    stores.cacheTap.cut();
    stores.clock.advance(50);
    await parking.park(newWrite(1));
    stores.cacheTap.mend();
    expect(await find(parking, 1)).toMatchObject([{ parkedAt: stores.clock.now() }]);
  });

  test('with another body of the same event stands beside it', async () => {
    const parking = await open();
    await parking.park(newWrite(1, { bodyHash: 'one' }));
    await parking.park(newWrite(1, { bodyHash: 'two' }));
    expect((await find(parking, 1)).map(({ bodyHash }) => bodyHash)).toEqual(['one', 'two']);
    // In any order: its own ones come first until the schedule shows them.
    expect((await bodies(parking, 1))?.toSorted()).toEqual(['one', 'two']);
  });

  test('is not acknowledged unless the log has it', async () => {
    const parking = await open();
    stores.logTap.cut();
    await expect(parking.park(newWrite(1))).rejects.toMatchObject(UNAVAILABLE);
    stores.logTap.mend();
    expect(await namesInTopic()).toEqual([]);
  });

  test('needs no cache', async () => {
    const parking = await open();
    stores.cacheTap.cut();
    await parking.park(newWrite(1));
    expect(await namesInTopic()).toEqual(['bank.transaction\nevent-1\nbody']);
  });

  test.each<Partial<NewParkedWrite>>([{ eventId: 'two\nlines' }, { operation: '' }])(
    'with a name that a key cannot hold is invalid: %j',
    async (more) => {
      const parking = await open();
      await expect(parking.park(newWrite(1, more))).rejects.toMatchObject({ kind: 'invalid' });
    },
  );

  test('is refused when too many are parked, one that is parked already is not', async () => {
    const parking = await open({ limits: { maxParked: 3 } });
    await stores.direct.log.append([recordOf(parkedWrite(9, { state: 'DEAD_LETTER' }))]);
    await find(parking, 9);
    await inTime(
      'the dead letter counts',
      async () => (await valuesOf(metrics.parkedWrites))['dead_letter'] === 1,
    );
    await parking.park(newWrite(1));
    // It is not followed yet, and counts.
    await parking.park(newWrite(2));
    await expect(parking.park(newWrite(3))).rejects.toThrow('3 writes are parked already');
    await parking.park(newWrite(2));
    await parking.resolve(parkedWrite(1));
    await inTime('there is room again', () =>
      parking.park(newWrite(3)).then(
        () => true,
        () => false,
      ),
    );
  });
});

describe('before the services are there', () => {
  test('a start does not fail, parking is refused, and all goes well when they come', async () => {
    stores.logTap.cut();
    stores.cacheTap.cut();
    const parking = create();
    parking.start();
    await expect(parking.park(newWrite(1))).rejects.toMatchObject(UNAVAILABLE);
    await expect(find(parking, 1)).rejects.toMatchObject(UNAVAILABLE);
    await eventually('the follower has failed', () => stores.clock.timers > 1);
    stores.logTap.mend();
    stores.cacheTap.mend();
    await inTime('the topic is known', () =>
      parking.park(newWrite(1)).then(
        () => true,
        () => false,
      ),
    );
    expect(await find(parking, 1)).toHaveLength(1);
  });

  test('what is parked under an event is not known, and new writes do not wait for it', async () => {
    stores.cacheTap.before = () => new Promise(() => {});
    const parking = create();
    const known = bodies(parking, 1);
    expect(known).toBeInstanceOf(Promise);
    stores.clock.advance(100);
    expect(await known).toEqual([]);
  });

  test('what the cache says is taken', async () => {
    const first = await open();
    await first.park(newWrite(1));
    await find(first, 1);
    expect(await bodies(create(), 1)).toEqual(['body']);
    expect(await bodies(create(), 2)).toEqual([]);
  });
});

describe('the bodies of an event', () => {
  test('are not asked for when nothing is parked', async () => {
    const parking = await open();
    expect(bodies(parking, 1)).toBeUndefined();
  });

  test('are those that this process has parked, from the acknowledgement on', async () => {
    const parking = await open();
    stores.cacheTap.cut();
    await parking.park(newWrite(1));
    expect(await bodies(parking, 1)).toEqual(['body']);
    expect(await bodies(parking, 2)).toEqual([]);
    stores.cacheTap.mend();
    await find(parking, 1);
    expect(await bodies(parking, 1)).toEqual(['body']);
  });

  test('are asked for while it is not known whether something was parked', async () => {
    const parking = await open();
    stores.cacheTap.cut();
    stores.logTap.before = (method) => {
      if (method === 'append') throw new PortError('timeout', method, 'for a test');
    };
    await expect(parking.park(newWrite(1))).rejects.toMatchObject({ kind: 'timeout' });
    expect(await bodies(parking, 1)).toEqual([]);
    stores.logTap.mend();
    stores.cacheTap.mend();
    await inTime('it is known', () => Promise.resolve(bodies(parking, 1) === undefined));
  });

  test('are soon known of another process', async () => {
    const [one, other] = [await open(), await open()];
    await one.park(newWrite(1));
    expect(await inTime('the other knows', async () => (await bodies(other, 1)) ?? false)).toEqual(['body']);
  });
});

describe('finding', () => {
  test('shows what another process parked before the call', async () => {
    const parking = await open();
    for (let event = 0; event < 20; event++) {
      await stores.direct.log.append([recordOf(parkedWrite(event))]);
      expect(await find(parking, event)).toHaveLength(1);
    }
  });

  test.each(['logTap', 'cacheTap'] as const)(
    'is unavailable, never empty, without its service: %s',
    async (tap) => {
      const parking = await open();
      await parking.park(newWrite(1));
      stores[tap].cut();
      await expect(find(parking, 1)).rejects.toMatchObject(UNAVAILABLE);
      await expect(parking.list({ state: 'PARKED', limit: 10 })).rejects.toMatchObject(UNAVAILABLE);
      await expect(parking.retry(parkedWrite(1))).rejects.toMatchObject(UNAVAILABLE);
    },
  );

  test('is unavailable while the schedule is behind the topic', async () => {
    const parking = await open();
    stores.cacheTap.before = (method) => {
      if (method === 'apply') throw new PortError('timeout', method, 'for a test');
    };
    await parking.park(newWrite(1));
    await expect(find(parking, 1)).rejects.toMatchObject(UNAVAILABLE);
  });

  test('is unavailable after its time', async () => {
    const parking = await open();
    const held = Promise.withResolvers<undefined>();
    stores.cacheTap.before = () => held.promise;
    const refused = expect(find(parking, 1)).rejects.toMatchObject(UNAVAILABLE);
    await inTime('it is given up', () => Promise.race([refused.then(() => true), turn().then(() => false)]));
    stores.cacheTap.mend();
    held.resolve(undefined);
  });
});

describe('listing', () => {
  beforeEach(async () => {
    await stores.direct.log.append(
      Array.from({ length: 25 }, (_, n) =>
        recordOf(
          parkedWrite(n, { dueAt: 1_800_000_000_000 + n, state: n % 5 === 0 ? 'DEAD_LETTER' : 'PARKED' }),
        ),
      ),
    );
  });

  test('gives pages of a state, the latest first', async () => {
    const parking = await open();
    const pages: string[][] = [];
    let after: { dueAt: number; id: string } | undefined;
    do {
      const options = { state: 'PARKED', limit: 8 } as const;
      const { writes, next } = await parking.list(after === undefined ? options : { ...options, after });
      pages.push(writes.map(({ eventId }) => eventId));
      after = next;
    } while (after !== undefined);
    expect(pages.map(({ length }) => length)).toEqual([8, 8, 4]);
    const parked = Array.from({ length: 25 }, (_, n) => 24 - n).filter((n) => n % 5 > 0);
    expect(pages.flat()).toEqual(parked.map((n) => `event-${n}`));
  });

  test('gives no next page behind the last one', async () => {
    const parking = await open();
    const { writes, next } = await parking.list({ state: 'DEAD_LETTER', limit: 5 });
    expect(writes.map(({ eventId }) => eventId)).toEqual([20, 15, 10, 5, 0].map((n) => `event-${n}`));
    expect(next).toBeUndefined();
  });

  test.each(['parked:entries', 'parked:dead', 'parked:due'])('is whole when %s was lost', async (key) => {
    const parking = await open();
    await stores.direct.cache.apply([{ op: 'delete', key }]);
    const { writes } = await parking.list({ state: 'DEAD_LETTER', limit: 100 });
    expect(writes).toHaveLength(5);
  });

  test.each([0, 101, 1.5])('refuses a limit of %d', async (limit) => {
    await expect(create().list({ state: 'PARKED', limit })).rejects.toMatchObject({ kind: 'invalid' });
  });
});

describe('an administrator', () => {
  test('has a dead letter tried again, from the first attempt on', async () => {
    const parking = await open();
    answer = () => failed('INTERNAL', 'for a test', true);
    await parking.park(newWrite(1));
    const dead = await inTime('it is a dead letter', async () => {
      const { writes } = await parking.list({ state: 'DEAD_LETTER', limit: 1 });
      return writes[0] ?? false;
    });
    expect(dead).toMatchObject({ attempts: 3, cause: 'INTERNAL' });
    sent = [];
    await parking.retry(dead);
    expect(await find(parking, 1)).toMatchObject([
      { state: 'PARKED', attempts: 0, dueAt: stores.clock.now() },
    ]);
    answer = () => INSERTED;
    await inTime('it is resolved', async () => (await find(parking, 1)).length === 0);
    expect(sent).toEqual(['event-1']);
  });

  test('does not bring back what is resolved', async () => {
    const parking = await open();
    await parking.park(newWrite(1));
    const [write] = await find(parking, 1);
    if (write === undefined) throw new Error('it is parked');
    await stores.direct.log.append([tombstoneOf(write)]);
    await parking.retry(write);
    expect(await namesInTopic()).toEqual([]);
  });

  test('has a write forgotten', async () => {
    const parking = await open();
    await parking.park(newWrite(1));
    await parking.park(newWrite(1, { bodyHash: 'other' }));
    await parking.resolve(parkedWrite(1));
    expect((await find(parking, 1)).map(({ bodyHash }) => bodyHash)).toEqual(['other']);
  });
});

describe('what is seen from outside', () => {
  test('metrics: how many are parked, how often they were sent, and whether something is away', async () => {
    const parking = await open();
    metrics.registry.resetMetrics();
    await parking.park(newWrite(1));
    await parking.park(newWrite(2, { cause: 'LINK_LOST' }));
    await stores.direct.log.append([recordOf(parkedWrite(3, { state: 'DEAD_LETTER' }))]);
    expect(await valuesOf(metrics.parked)).toEqual({
      'bank.transaction,EXPIRED': 1,
      'bank.transaction,LINK_LOST': 1,
    });
    await inTime('the breaker is open', async () => (await valuesOf(metrics.resenderBreakerOpen))[''] === 1);
    expect(await valuesOf(metrics.parkedWrites)).toEqual({ parked: 2, dead_letter: 1 });
    await inTime('one is overdue', async () => ((await valuesOf(metrics.parkedOverdue))[''] ?? 0) > 0);
    expect((await valuesOf(metrics.resends))['bank.transaction,FAILED']).toBeGreaterThan(0);
    answer = () => INSERTED;
    await inTime('all is resolved', async () => (await valuesOf(metrics.parkedWrites))['parked'] === 0);
    await inTime('nothing is due', async () => (await valuesOf(metrics.parkedOverdue))[''] === 0);
    expect(await valuesOf(metrics.resenderBreakerOpen)).toEqual({ '': 0 });
    expect(await valuesOf(metrics.parkedScheduleBehind)).toEqual({ '': 0 });
    stores.cacheTap.cut();
    await parking.park(newWrite(4));
    await inTime('it is behind', async () => (await valuesOf(metrics.parkedScheduleBehind))[''] === 1);
  });

  test('log lines: away, set aside, resolved; and nothing of what clients sent', async () => {
    const parking = await open();
    const request = new TextEncoder().encode('a secret of a client');
    await parking.park(newWrite(1, { request }));
    await inTime('the breaker is open', () =>
      Promise.resolve(logged.some(({ msg }) => String(msg).includes('is away'))),
    );
    answer = () => failed('INTERNAL', 'for a test', true);
    await inTime('it is a dead letter', async () => (await find(parking, 1))[0]?.state === 'DEAD_LETTER');
    const [dead] = await find(parking, 1);
    if (dead === undefined) throw new Error('it is a dead letter');
    await parking.retry(dead);
    await inTime('it has failed again', async () => (await find(parking, 1))[0]?.attempts === 1);
    answer = () => INSERTED;
    await inTime('it is resolved', async () => (await find(parking, 1)).length === 0);
    const wanted = ['msg', 'operation', 'eventId', 'attempts', 'cause', 'reason'];
    const lines = logged.map((line) =>
      Object.fromEntries(Object.entries(line).filter(([field]) => wanted.includes(field))),
    );
    expect(lines).toContainEqual({
      msg: 'what parked writes need is away; single ones probe for it',
      cause: 'STORE_UNAVAILABLE',
      reason: 'for a test',
    });
    expect(lines).toContainEqual({ msg: 'parked writes are sent again without probing first' });
    expect(lines).toContainEqual({
      msg: 'a parked write was set aside as a dead letter',
      operation: 'bank.transaction',
      eventId: 'event-1',
      attempts: 3,
      cause: 'INTERNAL',
      reason: 'for a test',
    });
    expect(lines).toContainEqual({
      msg: 'a parked write that had failed is resolved',
      operation: 'bank.transaction',
      eventId: 'event-1',
      attempts: 1,
    });
    const all = JSON.stringify(logged);
    expect(all).not.toContain('secret');
    expect(all).not.toContain(Buffer.from(request).toString('base64'));
  });
});

test('two processes on the same stores resolve everything, each write once', async () => {
  const parkings = [await open(), await open()];
  answer = () => INSERTED;
  for (let event = 0; event < 60; event++) await parkings[event % 2]?.park(newWrite(event));
  await inTime('all is resolved', async () => (await namesInTopic()).length === 0);
  expect(sent.toSorted()).toEqual(Array.from({ length: 60 }, (_, n) => `event-${n}`).toSorted());
});

test('a start and a stop may be called again', async () => {
  const parking = await open();
  parking.start();
  await parking.stop();
  await parking.stop();
  expect(stores.clock.timers).toBe(0);
});
