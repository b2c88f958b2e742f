import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type BankHttp, bankHttp } from '../helpers/bank-http.ts';

interface RouteDescription {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly content: object }>>;
}

const READS = ['all', 'transactions', 'operations', 'interactions', 'branches'];
const WRITES = ['/transaction', '/operation'];

let bank: BankHttp;

beforeEach(async () => {
  bank = await bankHttp();
});

afterEach(() => bank.http.close());

async function describedRoutes(): Promise<
  Readonly<Record<string, Readonly<Record<string, RouteDescription>>>>
> {
  const response = await bank.http.inject({ url: '/docs/json' });
  expect(response.statusCode).toBe(200);
  return response.json<{ paths: Record<string, Record<string, RouteDescription>> }>().paths;
}

describe('the API description', () => {
  test.each(WRITES)('has %s with its body, its answers and the idempotency key', async (path) => {
    const route = (await describedRoutes())[path]?.['post'];
    expect(route?.summary).toBeTruthy();
    expect(route?.tags).toEqual(['bank']);
    expect(route?.requestBody?.content['application/json']?.schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
    });
    expect(route?.parameters).toEqual([expect.objectContaining({ name: 'idempotency-key', in: 'header' })]);
    expect(Object.keys(route?.responses ?? {}).sort()).toEqual(['200', '201', '202', '4XX', '5XX']);
  });

  test.each(READS)('has /fetch/%s/{client} with its query and its page', async (list) => {
    const route = (await describedRoutes())[`/fetch/${list}/{client}`]?.['get'];
    expect(route?.summary).toBeTruthy();
    expect(route?.parameters?.map(({ name }) => name).sort()).toEqual(['client', 'cursor', 'limit']);
    expect(route?.responses['200']).toMatchObject({
      content: { 'application/json': { schema: { type: 'object', required: ['items', 'cursor'] } } },
    });
  });

  test('has /events/{operation}/{id} with each state', async () => {
    const route = (await describedRoutes())['/events/{operation}/{id}']?.['get'];
    expect(route?.tags).toEqual(['events']);
    expect(route?.parameters?.map(({ name }) => name).sort()).toEqual(['id', 'operation']);
    const states = JSON.stringify(route?.responses['200']);
    for (const state of ['STORED', 'DISCARDED', 'REFUSED', 'PARKED', 'DEAD_LETTER']) {
      expect(states).toContain(`"${state}"`);
    }
  });

  test('has every route, and no other', async () => {
    const reads = READS.map((list) => `/fetch/${list}/{client}`);
    const expected = [...WRITES, ...reads, '/events/{operation}/{id}', '/healthz', '/readyz'];
    expect(Object.keys(await describedRoutes()).sort()).toEqual(expected.sort());
  });

  test('is there for people', async () => {
    const page = await bank.http.inject({ url: '/docs' });
    const target = page.headers.location ?? '/docs';
    const shown = page.statusCode === 302 ? await bank.http.inject({ url: target }) : page;
    expect(shown.statusCode).toBe(200);
    expect(shown.headers['content-type']).toContain('text/html');
  });
});

describe('health', () => {
  test('/healthz says that the process serves, ready or not', async () => {
    const response = await bank.http.inject({ url: '/healthz' });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ status: 'ok' });
  });

  test('/readyz says why a role is not ready', async () => {
    expect((await bank.http.inject({ url: '/readyz' })).statusCode).toBe(503);
    bank.roles.push({ role: 'dispatcher', state: 'READY', ready: true });
    const ready = await bank.http.inject({ url: '/readyz' });
    expect(ready.statusCode).toBe(200);
    expect(ready.json()).toEqual({ ready: true, roles: bank.roles });
    bank.roles.push({ role: 'worker', state: 'JOINING', ready: false, reason: 'no dispatcher' });
    const waiting = await bank.http.inject({ url: '/readyz' });
    expect(waiting.statusCode).toBe(503);
    expect(waiting.json()).toEqual({ ready: false, roles: bank.roles });
  });
});
