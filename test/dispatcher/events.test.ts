import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { type Answer, failed } from '../../runtime/domain-kit/outcome.ts';
import type { EventState } from '../../runtime/generated/miniplatform/events/v1/events.ts';
import { type BankHttp, bankHttp, PROBLEM_TYPE, problemOf } from '../helpers/bank-http.ts';
import { FakeParking, parkedWrite } from '../helpers/fake-parking.ts';

const AT = 1_700_000_000_000;
const NAMED = { operation: 'bank.transaction', id: 'key-1' };
const NOT_STORED: EventState = { found: false, verdict: '', at: 0, bodyHash: '' };
const AWAY = failed('STORE_UNAVAILABLE', 'the store is away', true);

let parking: FakeParking;
let bank: BankHttp;
/** What the store says, one after the other; the last one again and again. */
let answers: Answer<EventState>[];

beforeEach(async () => {
  parking = new FakeParking();
  answers = [{ verdict: 'ANSWERED', response: NOT_STORED }];
  bank = await bankHttp({
    parking,
    answer: () => (answers.length > 1 ? answers.shift() : answers[0]) ?? AWAY,
  });
});

afterEach(() => bank.http.close());

function stored(verdict: string): Answer<EventState> {
  return { verdict: 'ANSWERED', response: { found: true, verdict, at: AT, bodyHash: 'hash-1' } };
}

function state(path = '/events/bank.transaction/key-1'): Promise<LightMyRequestResponse> {
  return bank.http.inject({ url: path });
}

const at = (ms: number): string => new Date(ms).toISOString();

describe('the state of an event is', () => {
  test.each([
    ['INSERTED', { state: 'STORED' }],
    ['FRAUDULENT', { state: 'REFUSED', code: 'FRAUDULENT' }],
    ['DISCARDED', { state: 'DISCARDED' }],
  ])('as the store decided: %s', async (verdict, expected) => {
    answers = [stored(verdict)];
    const response = await state();
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ ...NAMED, ...expected, at: at(AT) });
    expect(bank.asked).toEqual([
      { operation: 'bank.transaction.state', request: { eventId: 'key-1' }, eventId: undefined },
    ]);
    expect(parking.calls.size).toBe(0);
  });

  const kept = { ...NAMED, parkedAt: at(AT), cause: 'STORE_UNAVAILABLE', message: 'away' };

  test('PARKED, with when it is sent next', async () => {
    parking.writes = [parkedWrite({ attempts: 2 })];
    const response = await state();
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      ...kept,
      state: 'PARKED',
      nextAttemptAt: at(AT + 1_000),
      attempts: 2,
      otherBodies: 0,
    });
  });

  test('DEAD_LETTER, with why', async () => {
    parking.writes = [parkedWrite({ state: 'DEAD_LETTER', attempts: 10 })];
    expect((await state()).json()).toEqual({ ...kept, state: 'DEAD_LETTER', attempts: 10, otherBodies: 0 });
  });

  test('that of the first of several bodies, with how many others there are', async () => {
    parking.writes = [
      parkedWrite({ bodyHash: 'second', parkedAt: AT + 5, attempts: 7 }),
      parkedWrite({ bodyHash: 'first', parkedAt: AT, attempts: 3 }),
      parkedWrite({ bodyHash: 'third', parkedAt: AT + 9, attempts: 9 }),
    ];
    expect((await state()).json()).toMatchObject({ state: 'PARKED', attempts: 3, otherBodies: 2 });
  });

  test('that of a parked one while the store is away', async () => {
    answers = [AWAY];
    parking.writes = [parkedWrite()];
    expect((await state()).json()).toMatchObject({ state: 'PARKED' });
  });

  test('that of the store where it was resolved between two reads', async () => {
    answers = [{ verdict: 'ANSWERED', response: NOT_STORED }, stored('INSERTED')];
    const response = await state();
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ ...NAMED, state: 'STORED', at: at(AT) });
  });

  test('found by its encoded id', async () => {
    parking.writes = [parkedWrite({ eventId: 'a/b?c%' })];
    const response = await state('/events/bank.transaction/a%2Fb%3Fc%25');
    expect(response.json()).toMatchObject({ id: 'a/b?c%', state: 'PARKED' });
  });
});

test('an event that is neither stored nor parked is not found', async () => {
  parking.writes = [parkedWrite({ operation: 'bank.operation' }), parkedWrite({ eventId: 'key-2' })];
  const response = await state();
  expect(problemOf(response)).toEqual({ status: 404, code: 'EVENT_NOT_FOUND', type: PROBLEM_TYPE });
  expect(response.json()).toMatchObject({ id: 'key-1' });
});

test('where nothing is parked at all, the store alone decides', async () => {
  const plain = await bankHttp({ answer: () => ({ verdict: 'ANSWERED', response: NOT_STORED }) });
  const response = await plain.http.inject({ url: '/events/bank.operation/key-1' });
  expect(problemOf(response)).toMatchObject({ status: 404, code: 'EVENT_NOT_FOUND' });
  await plain.http.close();
});

describe('what cannot be told is no 404:', () => {
  const cases: Readonly<Record<string, () => void>> = {
    'no worker has joined, and it is not parked': () => {
      answers = [failed('FULL', 'no worker has joined that serves this', false)];
    },
    'the store is away, and it is not parked': () => {
      answers = [AWAY];
    },
    'it is not stored, and the schedule is behind': () => {
      parking.fail('find');
    },
    'the store is away, and the schedule is behind': () => {
      answers = [AWAY];
      parking.fail('find');
    },
    'the store went away between two reads': () => {
      answers = [{ verdict: 'ANSWERED', response: NOT_STORED }, AWAY];
    },
    'the worker is of an odd version': () => {
      answers = [{ verdict: 'KEY_REUSED' }];
    },
  };

  test.each(Object.entries(cases))('%s', async (_what, arrange) => {
    arrange();
    const response = await state();
    expect(problemOf(response)).toEqual({ status: 503, code: 'STATE_UNKNOWN', type: PROBLEM_TYPE });
    expect(response.headers['retry-after']).toBe('1');
    expect(response.json()).toMatchObject(NAMED);
  });
});

test.each(['bank.fetchAll', 'bank.transaction.state', 'casino.bet', '__proto__'])(
  'there is no write %s, but others',
  async (operation) => {
    const response = await state(`/events/${operation}/key-1`);
    expect(problemOf(response)).toEqual({ status: 404, code: 'NOT_FOUND', type: PROBLEM_TYPE });
    const operations = ['bank.transaction', 'bank.operation'];
    expect(response.json()).toMatchObject({ operations, detail: expect.stringContaining('bank.operation') });
    expect(bank.asked).toEqual([]);
  },
);

test.each(['a%20b', 'k'.repeat(129), '%00', '%C3%A9'])('the id %s is refused', async (id) => {
  const response = await state(`/events/bank.transaction/${id}`);
  expect(problemOf(response)).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
});

test('other methods are refused', async () => {
  const response = await bank.http.inject({ method: 'DELETE', url: '/events/bank.transaction/key-1' });
  expect(problemOf(response)).toMatchObject({ status: 405 });
  expect(response.headers.allow).toBe('GET, HEAD');
});
