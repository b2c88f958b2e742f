import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { failed, type Outcome } from '../../runtime/domain-kit/outcome.ts';
import type { ParkedWrite } from '../../runtime/parking/parked-write.ts';
import { createAdminServer } from '../../runtime/roles/dispatcher/admin-server.ts';
import { PROBLEM_TYPE, problemOf } from '../helpers/bank-http.ts';
import { FakeParking, parkedWrite } from '../helpers/fake-parking.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

const AT = 1_700_000_000_000;
const ONE = '/parked/bank.transaction/key-1';

let parking: FakeParking;
let admin: FastifyInstance;
let discarded: ParkedWrite[];
let outcome: Outcome<Uint8Array>;

beforeEach(() => {
  parking = new FakeParking();
  discarded = [];
  outcome = { verdict: 'DISCARDED' };
  admin = createAdminServer({
    parking,
    discard: (write) => {
      discarded.push(...parking.writes.filter(({ bodyHash }) => bodyHash === write.bodyHash));
      return Promise.resolve(outcome);
    },
    clock: new ManualClock(AT + 60_000),
    logger: pino({ level: 'silent' }),
  });
});

afterEach(() => admin.close());

function ask(
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  more: InjectOptions = {},
): Promise<LightMyRequestResponse> {
  return admin.inject({ method, url, ...more });
}

interface Listed {
  readonly items: readonly { readonly id: string }[];
  readonly cursor: string | null;
}

async function list(query = ''): Promise<Listed> {
  const response = await ask('GET', `/parked${query}`);
  expect(response.statusCode).toBe(200);
  return response.json<Listed>();
}

describe('the list', () => {
  test('is empty where nothing is parked', async () => {
    expect(await list()).toEqual({ items: [], cursor: null });
  });

  test('shows what is parked, never what it is about', async () => {
    const request = Buffer.from('secret');
    parking.writes = [
      parkedWrite({ request, eventId: 'a/b', attempts: 2 }),
      parkedWrite({ state: 'DEAD_LETTER' }),
    ];
    const response = await ask('GET', '/parked');
    expect(response.json()).toEqual({
      items: [
        {
          operation: 'bank.transaction',
          id: 'a/b',
          bodyHash: 'hash-1',
          state: 'PARKED',
          parkedAt: new Date(AT).toISOString(),
          dueAt: new Date(AT + 1_000).toISOString(),
          attempts: 2,
          cause: 'STORE_UNAVAILABLE',
          message: 'away',
          location: '/events/bank.transaction/a%2Fb',
        },
      ],
      cursor: null,
    });
    expect(response.body).not.toContain('secret');
  });

  test('shows dead letters where they are asked for', async () => {
    parking.writes = [parkedWrite(), parkedWrite({ eventId: 'dead', state: 'DEAD_LETTER' })];
    expect(await list('?state=DEAD_LETTER')).toMatchObject({ items: [{ id: 'dead' }] });
    expect(await list('?state=PARKED')).toMatchObject({ items: [{ id: 'key-1' }] });
  });

  test('is paged: each write is on one page', async () => {
    parking.writes = Array.from({ length: 25 }, (_, n) =>
      parkedWrite({ eventId: `key-${n}`, dueAt: AT + (n % 3) }),
    );
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Listed = await list(`?limit=10${cursor === '' ? '' : `&cursor=${cursor}`}`);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.cursor;
    }
    expect(ids).toHaveLength(25);
    expect(new Set(ids).size).toBe(25);
  });

  test('gives no cursor that another list takes', async () => {
    parking.writes = [parkedWrite(), parkedWrite({ eventId: 'key-2' })];
    const { cursor } = await list('?limit=1');
    const response = await ask('GET', `/parked?state=DEAD_LETTER&cursor=${String(cursor)}`);
    expect(problemOf(response)).toMatchObject({ status: 400, code: 'INVALID_CURSOR' });
  });

  test.each(['limit=0', 'limit=101', 'state=STORED', 'state=', 'page=2', 'state=PARKED&state=PARKED'])(
    'refuses ?%s',
    async (query) => {
      const response = await ask('GET', `/parked?${query}`);
      expect(problemOf(response)).toEqual({ status: 400, code: 'INVALID_REQUEST', type: PROBLEM_TYPE });
    },
  );

  test('is not known while the schedule is behind', async () => {
    parking.fail('list');
    const response = await ask('GET', '/parked');
    expect(problemOf(response)).toEqual({ status: 503, code: 'STATE_UNKNOWN', type: PROBLEM_TYPE });
    expect(response.headers['retry-after']).toBe('1');
  });
});

describe('a retry', () => {
  const retry = (more?: InjectOptions): Promise<LightMyRequestResponse> => ask('POST', `${ONE}/retry`, more);

  test('makes a dead letter due now', async () => {
    parking.writes = [parkedWrite({ state: 'DEAD_LETTER', attempts: 10 })];
    const response = await retry();
    expect(response.statusCode).toBe(202);
    expect(response.json()).toMatchObject({
      id: 'key-1',
      state: 'PARKED',
      attempts: 0,
      dueAt: new Date(AT + 60_000).toISOString(),
    });
    expect(parking.writes).toMatchObject([{ state: 'PARKED', attempts: 0 }]);
  });

  const bodies: Readonly<Record<string, InjectOptions>> = {
    'no body': {},
    'no body, but a length': { headers: { 'content-length': '0' } },
    'an empty JSON body': { headers: { 'content-type': 'application/json' } },
    'an empty JSON body with its length': {
      headers: { 'content-type': 'application/json', 'content-length': '0' },
      payload: '',
    },
    'an empty form, as curl -d sends it': {
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' },
      payload: '',
    },
  };

  test.each(Object.entries(bodies))('takes %s', async (_what, more) => {
    parking.writes = [parkedWrite()];
    expect((await retry(more)).statusCode).toBe(202);
  });

  test.each(['application/json', 'text/plain'])('takes no %s', async (type) => {
    parking.writes = [parkedWrite({ attempts: 3 })];
    const response = await retry({ headers: { 'content-type': type }, payload: '{"attempts":1}' });
    expect(problemOf(response)).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
    expect(parking.writes).toMatchObject([{ attempts: 3 }]);
  });

  test('that is not known to be durable is not confirmed', async () => {
    parking.writes = [parkedWrite()];
    parking.fail('retry');
    expect(problemOf(await retry())).toMatchObject({ status: 503, code: 'STATE_UNKNOWN' });
  });
});

describe('a discard', () => {
  const discard = (query = ''): Promise<LightMyRequestResponse> => ask('DELETE', `${ONE}${query}`);
  const answer = { operation: 'bank.transaction', id: 'key-1', bodyHash: 'hash-1', state: 'DISCARDED' };

  beforeEach(() => {
    parking.writes = [parkedWrite({ state: 'DEAD_LETTER' }), parkedWrite({ eventId: 'key-2' })];
  });

  test.each(['DISCARDED', 'KEY_REUSED'] as const)('is final once the store says %s', async (verdict) => {
    outcome = { verdict };
    const response = await discard();
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual(answer);
    expect(parking.writes).toMatchObject([{ eventId: 'key-2' }]);
  });

  test.each<readonly [Outcome<Uint8Array>, string]>([
    [{ verdict: 'DUPLICATED', response: new Uint8Array() }, 'stored'],
    [{ verdict: 'REFUSED', reason: 'FRAUDULENT' }, 'refused (FRAUDULENT)'],
  ])('comes too late after %j: it is no longer parked either', async (given, became) => {
    outcome = given;
    const response = await discard();
    expect(problemOf(response)).toEqual({ status: 409, code: 'ALREADY_DECIDED', type: PROBLEM_TYPE });
    expect(response.json()).toMatchObject({ detail: expect.stringContaining(became) });
    expect(parking.writes).toMatchObject([{ eventId: 'key-2' }]);
  });

  test.each([
    [failed('FULL', 'no worker has joined that serves this', false), 'NOT_ATTEMPTED'],
    [failed('STORE_UNAVAILABLE', 'the store is away', true), 'STATE_UNKNOWN'],
  ] as const)('that fails keeps it: %j', async (given, code) => {
    outcome = given;
    const response = await discard();
    expect(problemOf(response)).toMatchObject({ status: 503, code });
    expect(response.headers['retry-after']).toBe('1');
    expect(parking.writes).toHaveLength(2);
  });

  test('is not confirmed while it may still be parked', async () => {
    parking.fail('resolve');
    expect(problemOf(await discard())).toMatchObject({ status: 503, code: 'STATE_UNKNOWN' });
  });
});

describe.each([
  ['a retry', 'POST', `${ONE}/retry`],
  ['a discard', 'DELETE', ONE],
] as const)('%s', (_what, method, url) => {
  test('of what is not parked finds nothing', async () => {
    parking.writes = [parkedWrite({ eventId: 'key-2' })];
    const response = await ask(method, url);
    expect(problemOf(response)).toEqual({ status: 404, code: 'NOT_PARKED', type: PROBLEM_TYPE });
    expect(discarded).toEqual([]);
  });

  test('is put off while the schedule is behind', async () => {
    parking.fail('find');
    expect(problemOf(await ask(method, url))).toMatchObject({ status: 503, code: 'STATE_UNKNOWN' });
  });

  test('of several bodies asks which one is meant', async () => {
    parking.writes = [parkedWrite({ bodyHash: 'one' }), parkedWrite({ bodyHash: 'two' })];
    const before = parking.writes;
    const response = await ask(method, url);
    expect(problemOf(response)).toEqual({ status: 409, code: 'SEVERAL_PARKED', type: PROBLEM_TYPE });
    expect(response.json()).toMatchObject({ bodyHashes: ['one', 'two'] });
    expect(parking.writes).toEqual(before);
    expect((await ask(method, `${url}?bodyHash=two`)).json()).toMatchObject({ bodyHash: 'two' });
    expect(parking.writes.find(({ bodyHash }) => bodyHash === 'one')).toEqual(before[0]);
    expect(problemOf(await ask(method, `${url}?bodyHash=three`))).toMatchObject({ code: 'NOT_PARKED' });
  });

  test('takes no other query', async () => {
    parking.writes = [parkedWrite()];
    expect(problemOf(await ask(method, `${url}?force=1`))).toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

test.each([
  ['GET', '/', 404, 'NOT_FOUND'],
  ['GET', '/events/bank.transaction/key-1', 404, 'NOT_FOUND'],
  ['GET', `${ONE}/retry`, 405, 'METHOD_NOT_ALLOWED'],
  ['POST', '/parked', 405, 'METHOD_NOT_ALLOWED'],
  ['DELETE', `/parked/bank.transaction/${'k'.repeat(129)}`, 400, 'INVALID_REQUEST'],
] as const)('%s %s', async (method, url, status, code) => {
  expect(problemOf(await ask(method, url))).toEqual({ status, code, type: PROBLEM_TYPE });
});

test('a defect is told as one, without details', async () => {
  parking.list = () => Promise.reject(new Error('secret'));
  const response = await ask('GET', '/parked');
  expect(problemOf(response)).toMatchObject({ status: 500, code: 'INTERNAL' });
  expect(response.body).not.toContain('secret');
});
