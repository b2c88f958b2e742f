import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { type Answer, failed, type Outcome } from '../../runtime/domain-kit/outcome.ts';
import { encodeCursor } from '../../runtime/domain-kit/cursor.ts';
import { type BankHttp, bankHttp, PROBLEM_TYPE, problemOf } from '../helpers/bank-http.ts';

const AT = 1_700_000_000_000;
const TRANSACTION = { id: 'key-1', sender: 'ada', receiver: 'bob', amount: 12, at: AT };

let bank: BankHttp;
let outcome: Answer<unknown>;

beforeEach(async () => {
  bank = await bankHttp({ answer: () => outcome });
});

afterEach(async () => {
  expect(bank.requests.inFlight).toBe(0);
  await bank.http.close();
});

function write(key = 'key-1'): Promise<LightMyRequestResponse> {
  return bank.http.inject({
    method: 'POST',
    url: '/transaction',
    headers: { 'idempotency-key': key },
    payload: { sender: 'ada', receiver: 'bob', amount: 12 },
  });
}

describe('a write answers', () => {
  test.each([
    ['INSERTED', 201],
    ['DUPLICATED', 200],
  ] as const)('%s with %i and the stored event', async (verdict, status) => {
    outcome = { verdict, response: TRANSACTION };
    const response = await write();
    expect(response.statusCode).toBe(status);
    expect(response.json()).toEqual({
      ...TRANSACTION,
      type: 'transaction',
      at: new Date(AT).toISOString(),
    });
    expect(response.headers['retry-after']).toBeUndefined();
  });

  test('PARKED with 202, and where its state is told', async () => {
    outcome = { verdict: 'PARKED' };
    const id = 'a/b?c#d%"~';
    const response = await write(id);
    const location = '/events/bank.transaction/a%2Fb%3Fc%23d%25%22~';
    expect(response.statusCode).toBe(202);
    expect(response.headers.location).toBe(location);
    expect(response.json()).toEqual({ operation: 'bank.transaction', id, state: 'PARKED', location });
    const payload = { client: 'ada', branch: 'north', amount: 1, operationType: 'DEPOSIT', id: 'key-2' };
    const other = await bank.http.inject({ method: 'POST', url: '/operation', payload });
    expect(other.statusCode).toBe(202);
    expect(other.headers.location).toBe('/events/bank.operation/key-2');
  });

  const problems: readonly (readonly [Outcome<unknown>, number, string, string | undefined])[] = [
    [{ verdict: 'REFUSED', reason: 'FRAUDULENT' }, 422, 'FRAUDULENT', undefined],
    [{ verdict: 'DISCARDED' }, 409, 'EVENT_DISCARDED', undefined],
    [{ verdict: 'KEY_REUSED' }, 422, 'IDEMPOTENCY_KEY_REUSED', undefined],
    [failed('FULL', 'all are busy', false), 503, 'NOT_ATTEMPTED', '1'],
    [failed('EXPIRED', 'too late', true), 503, 'OUTCOME_UNKNOWN', '1'],
    [failed('LINK_LOST', 'cut', true), 503, 'OUTCOME_UNKNOWN', '1'],
    [failed('STORE_UNAVAILABLE', 'away', true), 503, 'OUTCOME_UNKNOWN', '1'],
    [failed('LOG_UNAVAILABLE', 'away', true), 503, 'OUTCOME_UNKNOWN', '1'],
    [failed('CACHE_UNAVAILABLE', 'away', false), 503, 'NOT_ATTEMPTED', '1'],
    [failed('REPLY_TOO_LARGE', 'large', true), 503, 'OUTCOME_UNKNOWN', '1'],
    [failed('INTERNAL', 'defect', true), 503, 'OUTCOME_UNKNOWN', '1'],
    [failed('INVALID_REQUEST', 'did not decode', false), 500, 'INTERNAL', undefined],
  ];

  test.each(problems)('%j', async (given, status, code, retryAfter) => {
    outcome = given;
    const response = await write();
    expect(problemOf(response)).toEqual({ status, code, type: PROBLEM_TYPE });
    expect(response.headers['retry-after']).toBe(retryAfter);
    // With the id a client can ask again, also where the dispatcher made it up.
    expect(response.json()).toMatchObject({ id: 'key-1' });
  });
});

describe('a read answers', () => {
  const read = (query = ''): Promise<LightMyRequestResponse> =>
    bank.http.inject({ url: `/fetch/all/ada${query}` });

  test('its page, with a cursor that leads to the next one', async () => {
    const next = { at: AT, kind: 'transaction', id: 'key-1' };
    const events = [{ event: { $case: 'transaction', value: TRANSACTION } }];
    outcome = { verdict: 'ANSWERED', response: { events, next } };
    const page = await read();
    expect(page.statusCode).toBe(200);
    const { cursor, items } = page.json<{ cursor: string; items: unknown[] }>();
    expect(items).toEqual([{ ...TRANSACTION, type: 'transaction', at: new Date(AT).toISOString() }]);
    expect(cursor).toBe(encodeCursor('all:ada', next));
    outcome = { verdict: 'ANSWERED', response: { events: [], next: undefined } };
    expect((await read(`?limit=3&cursor=${cursor}`)).json()).toEqual({ items: [], cursor: null });
    expect(bank.asked.map(({ request }) => request)).toEqual([
      { client: 'ada', limit: 20, after: undefined },
      { client: 'ada', limit: 3, after: next },
    ]);
  });

  test('both kinds of events, and names with dates', async () => {
    const value = { id: 'o', client: 'ada', branch: 'north', amount: 3, operationType: 2, at: AT };
    outcome = {
      verdict: 'ANSWERED',
      response: { events: [{ event: { $case: 'operation', value } }], next: undefined },
    };
    expect((await read()).json()).toEqual({
      items: [{ ...value, type: 'operation', operationType: 'WITHDRAW', at: new Date(AT).toISOString() }],
      cursor: null,
    });
    outcome = { verdict: 'ANSWERED', response: { names: [{ name: 'bob', since: AT }], next: undefined } };
    expect((await bank.http.inject({ url: '/fetch/interactions/ada' })).json()).toEqual({
      items: [{ name: 'bob', since: new Date(AT).toISOString() }],
      cursor: null,
    });
  });

  test.each([
    [failed('FULL', 'all are busy', false), 503, 'NOT_ATTEMPTED'],
    [failed('STORE_UNAVAILABLE', 'away', true), 503, 'READ_FAILED'],
    [failed('EXPIRED', 'late', true), 503, 'READ_FAILED'],
  ] as const)('%j', async (given, status, code) => {
    outcome = given;
    const response = await read();
    expect(problemOf(response)).toEqual({ status, code, type: PROBLEM_TYPE });
    expect(response.headers['retry-after']).toBe('1');
  });

  test('a verdict of writes as a defect', async () => {
    outcome = { verdict: 'KEY_REUSED' };
    expect(problemOf(await read())).toMatchObject({ status: 500, code: 'INTERNAL' });
  });
});

test('an answer that cannot be written is a defect without details', async () => {
  outcome = { verdict: 'INSERTED', response: { ...TRANSACTION, at: Number.NaN } };
  const response = await write();
  expect(problemOf(response)).toMatchObject({ status: 500, code: 'INTERNAL' });
  expect(response.json()).toMatchObject({ detail: 'an unexpected error' });
});
