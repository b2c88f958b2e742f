import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { encodeCursor } from '../../runtime/domain-kit/cursor.ts';
import { type BankHttp, bankHttp, PROBLEM_TYPE, problemOf } from '../helpers/bank-http.ts';

const GOOD = { sender: 'ada', receiver: 'bob', amount: 12 };

describe('wrong input', () => {
  let bank: BankHttp;

  beforeEach(async () => {
    bank = await bankHttp();
  });

  afterEach(async () => {
    expect(bank.asked).toEqual([]);
    expect(bank.requests.inFlight).toBe(0);
    await bank.http.close();
  });

  const post = (
    payload: string | object,
    headers: Record<string, string> = {},
  ): Promise<LightMyRequestResponse> =>
    bank.http.inject({
      method: 'POST',
      url: '/transaction',
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    });

  const bodies: Readonly<Record<string, readonly [string | object, number, string]>> = {
    'bad JSON': ['{"sender": ', 400, 'BODY_NOT_JSON'],
    'an empty body': ['', 400, 'BODY_NOT_JSON'],
    null: ['null', 400, 'INVALID_REQUEST'],
    'an array': ['[{}]', 400, 'INVALID_REQUEST'],
    'a text as amount': [{ ...GOOD, amount: '12' }, 400, 'INVALID_REQUEST'],
    'a number as name': [{ ...GOOD, sender: 12 }, 400, 'INVALID_REQUEST'],
    'null as name': [{ ...GOOD, sender: null }, 400, 'INVALID_REQUEST'],
    'a missing field': [{ sender: 'ada', amount: 12 }, 400, 'INVALID_REQUEST'],
    'an extra field': [{ ...GOOD, note: 'hi' }, 400, 'INVALID_REQUEST'],
    'a negative amount': [{ ...GOOD, amount: -1 }, 400, 'INVALID_REQUEST'],
    'no amount at all': [{ ...GOOD, amount: 0 }, 400, 'INVALID_REQUEST'],
    'a fraction': [{ ...GOOD, amount: 1.5 }, 400, 'INVALID_REQUEST'],
    '2^53': [{ ...GOOD, amount: 2 ** 53 }, 400, 'INVALID_REQUEST'],
    '1e400': ['{"sender":"ada","receiver":"bob","amount":1e400}', 400, 'INVALID_REQUEST'],
    'a control character': [{ ...GOOD, sender: 'a\u0007b' }, 400, 'INVALID_REQUEST'],
    'a line break': [{ ...GOOD, sender: 'ada\n' }, 400, 'INVALID_REQUEST'],
    'a lone surrogate': ['{"sender":"a\\ud800","receiver":"bob","amount":1}', 400, 'INVALID_REQUEST'],
    'an empty name': [{ ...GOOD, sender: '' }, 400, 'INVALID_REQUEST'],
    'a name of 129 characters': [{ ...GOOD, sender: 'a'.repeat(129) }, 400, 'INVALID_REQUEST'],
    'an id with spaces': [{ ...GOOD, id: 'a b' }, 400, 'INVALID_REQUEST'],
    'an id of 129 characters': [{ ...GOOD, id: 'a'.repeat(129) }, 400, 'INVALID_REQUEST'],
    'the field __proto__': [
      '{"sender":"a","receiver":"b","amount":1,"__proto__":{"x":1}}',
      400,
      'BODY_NOT_JSON',
    ],
    'the field constructor': [
      '{"sender":"a","receiver":"b","amount":1,"constructor":{"prototype":{"x":1}}}',
      400,
      'BODY_NOT_JSON',
    ],
    '10 MB': [{ ...GOOD, sender: 'x'.repeat(10_000_000) }, 413, 'BODY_TOO_LARGE'],
  };

  test.each(Object.entries(bodies))('%s', async (_what, [payload, status, code]) => {
    expect(problemOf(await post(payload))).toEqual({ status, code, type: PROBLEM_TYPE });
  });

  test('names each faulty field, and repeats none of the values', async () => {
    const response = await post({ sender: 'secret\u0000', amount: 'hidden', extra: 1 });
    const { errors } = response.json<{ errors: { in: string; pointer: string; detail: string }[] }>();
    expect(errors).toEqual(
      expect.arrayContaining([
        { in: 'body', pointer: '', detail: "must have required property 'receiver'" },
        { in: 'body', pointer: '', detail: 'has the unknown field extra' },
        { in: 'body', pointer: '/amount', detail: 'must be integer' },
        expect.objectContaining({ pointer: '/sender' }),
      ]),
    );
    expect(response.body).not.toContain('secret');
    expect(response.body).not.toContain('hidden');
  });

  test.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'application/jsonx'])(
    'the media type %s',
    async (type) => {
      const response = await post(JSON.stringify(GOOD), { 'content-type': type });
      expect(problemOf(response)).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
    },
  );

  test('no media type', async () => {
    const response = await bank.http.inject({
      method: 'POST',
      url: '/transaction',
      payload: Buffer.from(JSON.stringify(GOOD)),
    });
    expect(problemOf(response)).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  test('no body and no media type', async () => {
    const response = await bank.http.inject({ method: 'POST', url: '/transaction' });
    expect(problemOf(response)).toMatchObject({ status: 400 });
  });

  test('an unknown operation type', async () => {
    const payload = { client: 'ada', branch: 'north', amount: 1, operationType: 'UNSPECIFIED' };
    const response = await bank.http.inject({ method: 'POST', url: '/operation', payload });
    expect(problemOf(response)).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
    expect(response.body).toContain('DEPOSIT');
  });

  test.each([
    ['two keys that differ', { 'idempotency-key': 'one' }, { ...GOOD, id: 'two' }],
    ['a key with spaces', { 'idempotency-key': 'a b' }, GOOD],
    ['an empty key', { 'idempotency-key': '""' }, GOOD],
    ['a key of 129 characters', { 'idempotency-key': 'k'.repeat(129) }, GOOD],
  ])('%s', async (_what, headers, payload) => {
    expect(problemOf(await post(payload, headers))).toMatchObject({
      status: 400,
      code: 'INVALID_IDEMPOTENCY_KEY',
    });
  });

  test.each([
    ['limit=0', 'INVALID_REQUEST'],
    ['limit=101', 'INVALID_REQUEST'],
    ['limit=ten', 'INVALID_REQUEST'],
    ['limit=1.5', 'INVALID_REQUEST'],
    ['limit=1&limit=2', 'INVALID_REQUEST'],
    ['page=2', 'INVALID_REQUEST'],
    ['cursor=', 'INVALID_REQUEST'],
    ['cursor=nonsense', 'INVALID_CURSOR'],
    [`cursor=${'a'.repeat(3_000)}`, 'INVALID_CURSOR'],
    [`cursor=${encodeCursor('all:bob', { at: 1, kind: '', id: 'x' })}`, 'INVALID_CURSOR'],
  ])('the query %s', async (query, code) => {
    const response = await bank.http.inject({ url: `/fetch/all/ada?${query}` });
    expect(problemOf(response)).toEqual({ status: 400, code, type: PROBLEM_TYPE });
  });

  test.each([
    ['/nowhere', 404, 'NOT_FOUND'],
    ['/fetch/all', 404, 'NOT_FOUND'],
    ['/fetch/all/', 400, 'INVALID_REQUEST'],
    ['/fetch/all/%', 400, 'MALFORMED_HTTP'],
    ['/fetch/all/%zz', 400, 'MALFORMED_HTTP'],
    ['/fetch/all/%c0%af', 400, 'MALFORMED_HTTP'],
    ['/fetch/all/a%00b', 400, 'INVALID_REQUEST'],
    [`/fetch/all/${'a'.repeat(129)}`, 400, 'INVALID_REQUEST'],
    ['/fetch/all/%20ada', 400, 'INVALID_REQUEST'],
  ])('the path %s', async (url, status, code) => {
    expect(problemOf(await bank.http.inject({ url }))).toEqual({ status, code, type: PROBLEM_TYPE });
  });

  test.each([
    ['GET', '/transaction', 'POST'],
    ['DELETE', '/operation', 'POST'],
    ['POST', '/fetch/all/ada', 'GET, HEAD'],
    ['PUT', '/fetch/branches/ada?limit=2', 'GET, HEAD'],
  ] as const)('%s %s', async (method, url, allow) => {
    const response = await bank.http.inject({ method, url });
    expect(problemOf(response)).toEqual({ status: 405, code: 'METHOD_NOT_ALLOWED', type: PROBLEM_TYPE });
    expect(response.headers.allow).toBe(allow);
  });
});

describe('input that is right', () => {
  let bank: BankHttp;

  beforeEach(async () => {
    bank = await bankHttp();
  });

  afterEach(() => bank.http.close());

  test.each([
    ['2^53 - 1', { ...GOOD, amount: Number.MAX_SAFE_INTEGER }],
    ['128 characters', { ...GOOD, sender: 'a'.repeat(128) }],
    ['names of many scripts', { ...GOOD, sender: 'Zoë Ångström', receiver: '山田 太郎 🦊' }],
  ])('%s', async (_what, payload) => {
    const response = await bank.http.inject({ method: 'POST', url: '/transaction', payload });
    expect(response.statusCode).toBe(201);
    expect(response.json()).toMatchObject(payload);
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  test('an integer with a fraction of zero', async () => {
    const payload = '{"sender":"ada","receiver":"bob","amount":12.0}';
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const response = await bank.http.inject({ method: 'POST', url: '/transaction', payload, headers });
    expect(response.json()).toMatchObject(GOOD);
  });

  test('the same name in two spellings is one name', async () => {
    for (const sender of ['Zo\u00eb', 'Zoe\u0308']) {
      await bank.http.inject({ method: 'POST', url: '/transaction', payload: { ...GOOD, sender } });
    }
    expect(bank.asked.map(({ request }) => request)).toEqual([
      { ...GOOD, sender: 'Zo\u00eb' },
      { ...GOOD, sender: 'Zo\u00eb' },
    ]);
  });

  test('a client with a slash in the name is found by its encoded path', async () => {
    const response = await bank.http.inject({ url: `/fetch/all/${encodeURIComponent('a/b ć')}?limit=7` });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ items: [], cursor: null });
    expect(bank.asked).toEqual([
      {
        operation: 'bank.fetchAll',
        request: { client: 'a/b ć', limit: 7, after: undefined },
        eventId: undefined,
      },
    ]);
  });

  test('the event has the id of the header, or of the body, or one of its own', async () => {
    const send = (payload: object, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> =>
      bank.http.inject({ method: 'POST', url: '/transaction', payload, headers });
    await send(GOOD, { 'idempotency-key': 'bare' });
    await send(GOOD, { 'idempotency-key': '"quoted"' });
    await send({ ...GOOD, id: 'body' });
    await send({ ...GOOD, id: 'both' }, { 'idempotency-key': 'both' });
    await send(GOOD);
    const ids = bank.asked.map(({ eventId }) => eventId);
    expect(ids.slice(0, 4)).toEqual(['bare', 'quoted', 'body', 'both']);
    expect(ids[4]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    // The id names the event and is no part of what is hashed.
    expect(bank.asked.map(({ request }) => request)).toEqual(Array.from({ length: 5 }, () => GOOD));
  });
});
