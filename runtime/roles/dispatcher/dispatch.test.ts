import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { FakeMembers } from '../../../test/helpers/fake-members.ts';
import { FakeParking, parkedWrite } from '../../../test/helpers/fake-parking.ts';
import { ManualClock } from '../../../test/helpers/manual-clock.ts';
import type { Dispatch } from '../../domain-kit/domain.ts';
import { type Codec, readOperation, writeOperation } from '../../domain-kit/operation.ts';
import { type Answer, failed, type Failed, type Outcome } from '../../domain-kit/outcome.ts';
import { EventState } from '../../generated/miniplatform/events/v1/events.ts';
import { createMetrics } from '../../metrics.ts';
import { createDispatch } from './dispatch.ts';

const text: Codec<string> = {
  encode: (message) => ({ finish: () => Buffer.from(message) }),
  decode: (bytes) => Buffer.from(bytes).toString(),
};
const codecs = { request: text, response: text };
const put = writeOperation({ name: 'test.put', ...codecs, parked: true });
const pay = writeOperation({ name: 'test.pay', ...codecs, parked: false });
const get = readOperation({ name: 'test.get', ...codecs });

const STORED: Outcome<Uint8Array> = { verdict: 'INSERTED', response: Buffer.from('stored') };
const AWAY = failed('STORE_UNAVAILABLE', 'the store is away', true);
const PARK_AFTER_MS = 2_000;

let clock: ManualClock;
let members: FakeMembers;
let parking: FakeParking;
let dispatch: Dispatch;

beforeEach(() => {
  clock = new ManualClock();
  members = new FakeMembers();
  parking = new FakeParking();
  dispatch = createDispatch({
    members,
    parking: { parking, parkAfterMs: PARK_AFTER_MS },
    clock,
    logger: pino({ level: 'silent' }),
    metrics: createMetrics(),
  });
});

function hashOf(operation: string, body: string): string {
  return createHash('sha256').update(`${operation}\0${body}`).digest('base64url');
}

function write(body = 'body'): Promise<Answer<string>> {
  return dispatch.ask(put, body, 'key-1');
}

/** Parks a write of `put` under the key that the tests use. */
function park(body: string): void {
  parking.writes.push(
    parkedWrite({ operation: put.name, eventId: 'key-1', bodyHash: hashOf(put.name, body) }),
  );
}

describe('while nothing is parked', () => {
  test('a write that is decided is not parked', async () => {
    members.add('w1', () => STORED);
    expect(await write()).toEqual({ verdict: 'INSERTED', response: 'stored' });
    expect(parking.calls.size).toBe(0);
    expect(clock.timers).toBe(0);
  });

  test('the tries share the deadline of parking', async () => {
    members.add('w1', () => {
      clock.stall(1_200);
      return AWAY;
    });
    members.add('w2', () => STORED);
    expect(await write()).toMatchObject({ verdict: 'INSERTED' });
    expect(members.sent.map(({ member, timeoutMs }) => [member, timeoutMs])).toEqual([
      ['w1', 1_200],
      ['w2', 800],
    ]);
  });
});

describe('a write that is not decided', () => {
  const causes: readonly Failed[] = [
    AWAY,
    failed('EXPIRED', 'too late', true),
    failed('EXPIRED', 'its time ran out while it waited', false),
    failed('LINK_LOST', 'cut', true),
    failed('UNKNOWN_OPERATION', 'of a later version', false),
    failed('LOG_UNAVAILABLE', 'the log is away', true),
    failed('CACHE_UNAVAILABLE', 'the cache is away', false),
    failed('INTERNAL', 'a defect', true),
    failed('FULL', 'a worker was cut off after its queue was full', true),
  ];

  test.each(causes)('is parked: %j', async (outcome) => {
    members.add('w1', () => outcome);
    expect(await write()).toEqual({ verdict: 'PARKED' });
    expect(parking.writes).toEqual([
      expect.objectContaining({
        operation: 'test.put',
        eventId: 'key-1',
        bodyHash: hashOf('test.put', 'body'),
        request: Buffer.from('body'),
        cause: outcome.cause,
        message: outcome.message,
      }),
    ]);
  });

  test('is parked after a second member could not decide it either', async () => {
    members.add('w1', () => AWAY);
    members.add('w2', () => failed('LINK_LOST', 'cut', true));
    expect(await write()).toEqual({ verdict: 'PARKED' });
    expect(members.sent.map(({ member }) => member)).toEqual(['w1', 'w2']);
    expect(parking.writes).toMatchObject([{ cause: 'LINK_LOST' }]);
  });

  test('is parked where no worker has joined', async () => {
    expect(await write()).toEqual({ verdict: 'PARKED' });
    expect(parking.writes).toMatchObject([{ cause: 'FULL', message: expect.stringContaining('joined') }]);
  });

  test('is given back where all windows are full: overload is shed', async () => {
    members.add('w1', () => STORED);
    members.isFull = true;
    expect(await write()).toMatchObject({ verdict: 'FAILED', cause: 'FULL', attempted: false });
    expect(parking.writes).toEqual([]);
  });

  test('is given back where the queues of all workers are full', async () => {
    members.add('w1', () => failed('FULL', 'the queue of the worker is full', false));
    members.add('w2', () => failed('FULL', 'the queue of the worker is full', false));
    expect(await write()).toMatchObject({ verdict: 'FAILED', cause: 'FULL', attempted: false });
    expect(parking.writes).toEqual([]);
  });

  test.each(['INVALID_REQUEST', 'REPLY_TOO_LARGE'] as const)('is given back with %s', async (cause) => {
    members.add('w1', () => failed(cause, 'at fault itself', true));
    expect(await write()).toMatchObject({ verdict: 'FAILED', cause });
    expect(parking.writes).toEqual([]);
  });

  test('is of unknown outcome where it cannot be parked', async () => {
    parking.fail('park');
    expect(await write()).toMatchObject({
      verdict: 'FAILED',
      attempted: true,
      message: expect.stringMatching(/no worker has joined.*could not be parked either: parking\.park: away/),
    });
  });

  test('is given back where its operation is not parked, and so is a read', async () => {
    members.add('w1', () => AWAY);
    expect(await dispatch.ask(pay, 'body', 'key-1')).toEqual(AWAY);
    expect(await dispatch.ask(get, 'body')).toEqual(AWAY);
    expect(members.sent.map(({ timeoutMs }) => timeoutMs)).toEqual([3_000, 3_000]);
    expect(parking.calls.size).toBe(0);
  });

  test('is given back by a dispatcher that parks nothing', async () => {
    const logger = pino({ level: 'silent' });
    const plain = createDispatch({ members, parking: undefined, clock, logger, metrics: createMetrics() });
    expect(await plain.ask(put, 'body', 'key-1')).toMatchObject({ verdict: 'FAILED', attempted: false });
  });
});

describe('while something is parked', () => {
  test('a write of another key is sent', async () => {
    park('body');
    members.add('w1', () => STORED);
    expect(await dispatch.ask(put, 'other', 'key-2')).toMatchObject({ verdict: 'INSERTED' });
    expect(clock.timers).toBe(0);
  });

  test('the same write is sent again, and a decision is the answer', async () => {
    park('body');
    members.add('w1', () => ({ verdict: 'REFUSED', reason: 'FRAUDULENT' }));
    expect(await write('body')).toEqual({ verdict: 'REFUSED', reason: 'FRAUDULENT' });
  });

  test('the same write is parked still where it is not decided again', async () => {
    park('body');
    members.add('w1', () => AWAY);
    expect(await write('body')).toEqual({ verdict: 'PARKED' });
    expect(parking.writes).toHaveLength(1);
  });

  describe('another body under its key', () => {
    const state = (some: Partial<EventState>): Outcome<Uint8Array> => ({
      verdict: 'ANSWERED',
      response: EventState.encode({ found: false, verdict: '', at: 0, bodyHash: '', ...some }).finish(),
    });

    test('is a reuse of the key, without being sent', async () => {
      park('body');
      members.add('w1', ({ name }) => (name === 'test.put.state' ? state({ found: false }) : STORED));
      expect(await write('another')).toEqual({ verdict: 'KEY_REUSED' });
      expect(members.sent.map(({ name }) => name)).toEqual(['test.put.state']);
    });

    test('is a reuse of the key where the store has the parked body', async () => {
      park('body');
      members.add('w1', () => state({ found: true, bodyHash: hashOf('test.put', 'body') }));
      expect(await write('another')).toEqual({ verdict: 'KEY_REUSED' });
      expect(members.sent.map(({ name }) => name)).not.toContain('test.put');
    });

    // It may be the one that was acknowledged: an unknown is never a no.
    test('is not judged, sent or kept where the store cannot tell whose the key is', async () => {
      park('body');
      members.add('w1', () => AWAY);
      expect(await write('another')).toMatchObject({ verdict: 'FAILED', attempted: false });
      expect(members.sent.map(({ name }) => name)).not.toContain('test.put');
      expect(parking.writes).toHaveLength(1);
    });

    test('nor while no worker has joined', async () => {
      expect(await write('body')).toEqual({ verdict: 'PARKED' });
      expect(await write('another')).toMatchObject({ verdict: 'FAILED', attempted: false });
      expect(parking.writes).toHaveLength(1);
    });

    test('is sent where the store had it first, and the parked one is the reuse', async () => {
      park('reuse');
      const own = state({ found: true, verdict: 'INSERTED', bodyHash: hashOf('test.put', 'first') });
      members.add('w1', ({ name }) =>
        name === 'test.put.state' ? own : { verdict: 'DUPLICATED', response: Buffer.from('first') },
      );
      expect(await write('first')).toEqual({ verdict: 'DUPLICATED', response: 'first' });
    });

    test('is sent where it is parked too', async () => {
      park('body');
      park('another');
      members.add('w1', () => STORED);
      expect(await write('another')).toMatchObject({ verdict: 'INSERTED' });
    });
  });

  test('a write is parked, not sent, where it cannot be told what is parked', async () => {
    park('body');
    parking.fail('parkedBodies');
    members.add('w1', () => STORED);
    expect(await dispatch.ask(put, 'other', 'key-2')).toEqual({ verdict: 'PARKED' });
    expect(members.sent).toEqual([]);
    expect(parking.writes.at(-1)).toMatchObject({ eventId: 'key-2', cause: 'CACHE_UNAVAILABLE' });
  });

  test('a write waits for what is parked for a fifth of the deadline only', async () => {
    park('body');
    parking.parkedBodies = () => new Promise(() => {});
    members.add('w1', () => STORED);
    const answer = write('body');
    clock.advance(400);
    expect(await answer).toEqual({ verdict: 'PARKED' });
    expect(members.sent).toEqual([]);
  });
});
