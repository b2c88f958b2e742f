import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bank } from '../../runtime/domains/bank/index.ts';
import { LONG_TERM_STORAGE } from '../../runtime/domain-kit/event.ts';
import { type LocalDomain, openLocalDomain } from '../helpers/local-bank.ts';

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

interface Page {
  readonly items: readonly Record<string, unknown>[];
  readonly cursor: string | null;
}

let local: LocalDomain;

beforeEach(async () => {
  local = await openLocalDomain(bank);
  await putFraudList(['mallory', 'José']);
});

afterEach(() => local.close());

async function putFraudList(names: readonly string[]): Promise<void> {
  await local.ports.cache.apply([
    { op: 'add', key: 'fraud', members: names },
    { op: 'mark', key: 'fraud', scored: false },
  ]);
}

async function post(url: string, body: object, key?: string): Promise<Answer> {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  const response = await local.http.inject({ method: 'POST', url, payload: body, headers });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}

async function page(url: string): Promise<Page> {
  const response = await local.http.inject({ method: 'GET', url });
  expect(response.statusCode).toBe(200);
  return response.json<Page>();
}

/** All pages of a list, walked by cursor. */
async function all(url: string, limit = 100): Promise<readonly Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let cursor: string | null = null;
  do {
    const next: Page = await page(`${url}?limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`);
    items.push(...next.items);
    ({ cursor } = next);
  } while (cursor !== null);
  return items;
}

async function logged(): Promise<readonly Record<string, unknown>[]> {
  const records: Record<string, unknown>[] = [];
  for (const { partition } of await local.ports.log.ranges(LONG_TERM_STORAGE)) {
    const read = await local.ports.log.read({
      topic: LONG_TERM_STORAGE,
      partition,
      from: 0n,
      maxRecords: 1_000,
    });
    for (const { value } of read)
      records.push(JSON.parse(Buffer.from(value ?? []).toString()) as Record<string, unknown>);
  }
  return records;
}

const pay = { sender: 'alice', receiver: 'bob', amount: 1250 };

describe('a transaction', () => {
  test('is stored, published, and answered as it is fetched later', async () => {
    const { status, body } = await post('/transaction', pay);
    expect(status).toBe(201);
    expect(body).toMatchObject({ type: 'transaction', ...pay });
    expect(await all('/fetch/all/alice')).toEqual([body]);
    expect(await all('/fetch/transactions/bob')).toEqual([body]);
    expect(await all('/fetch/operations/alice')).toEqual([]);
    expect(await logged()).toEqual([
      expect.objectContaining({ operation: 'bank.transaction', id: body['id'], content: pay }),
    ]);
  });

  test('with the same key and body is stored once and answered the same', async () => {
    const first = await post('/transaction', pay, 'k1');
    const second = await post('/transaction', pay, 'k1');
    const byBody = await post('/transaction', { ...pay, id: 'k1' });
    expect([first.status, second.status, byBody.status]).toEqual([201, 200, 200]);
    expect(second.body).toEqual(first.body);
    expect(byBody.body).toEqual(first.body);
    expect(await all('/fetch/all/alice')).toHaveLength(1);
  });

  test('with the same key at the same moment is stored once, and both get the same body', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('/transaction', pay, 'k1')));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await all('/fetch/all/alice')).toHaveLength(1);
  });

  test('with the same key and another body is refused and changes nothing', async () => {
    await post('/transaction', pay, 'k1');
    const { status, body } = await post('/transaction', { ...pay, amount: 1 }, 'k1');
    expect([status, body['code']]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(await all('/fetch/all/alice')).toHaveLength(1);
    expect(await logged()).toHaveLength(1);
  });

  test('may share its id with a bank operation', async () => {
    await post('/transaction', pay, 'k1');
    const deposit = { client: 'alice', amount: 5, branch: 'Delft', operationType: 'DEPOSIT' };
    expect((await post('/operation', deposit, 'k1')).status).toBe(201);
    expect(await all('/fetch/all/alice')).toHaveLength(2);
  });

  test('of a client with itself is stored and adds no interaction', async () => {
    expect((await post('/transaction', { sender: 'alice', receiver: 'alice', amount: 1 })).status).toBe(201);
    expect(await all('/fetch/all/alice')).toHaveLength(1);
    expect(await all('/fetch/interactions/alice')).toEqual([]);
  });
});

describe('fraud', () => {
  test('a transaction to a listed receiver is refused and leaves nothing behind', async () => {
    const { status, body } = await post('/transaction', { ...pay, receiver: 'mallory' });
    expect([status, body['code']]).toEqual([422, 'FRAUDULENT']);
    expect(await all('/fetch/all/alice')).toEqual([]);
    expect(await all('/fetch/all/mallory')).toEqual([]);
    expect(await all('/fetch/interactions/alice')).toEqual([]);
    expect(await logged()).toEqual([]);
  });

  test('a listed sender may pay, a listed client may deposit but not withdraw', async () => {
    const operation = { client: 'mallory', amount: 5, branch: 'Delft', operationType: 'DEPOSIT' };
    expect((await post('/transaction', { ...pay, sender: 'mallory' })).status).toBe(201);
    expect((await post('/operation', operation)).status).toBe(201);
    const { status, body } = await post('/operation', {
      ...operation,
      branch: 'Leiden',
      operationType: 'WITHDRAW',
    });
    expect([status, body['code']]).toEqual([422, 'FRAUDULENT']);
    expect((await all('/fetch/branches/mallory')).map(({ name }) => name)).toEqual(['Delft']);
  });

  test('a name is found however it is spelt in Unicode', async () => {
    const { body } = await post('/transaction', { ...pay, receiver: 'Jose\u0301' });
    expect(body['code']).toBe('FRAUDULENT');
  });

  test('the first answer stays the answer when the list changes', async () => {
    const refused = await post('/transaction', { ...pay, receiver: 'mallory' }, 'k1');
    const stored = await post('/transaction', pay, 'k2');
    local.cacheData.flush();
    await putFraudList(['bob']);
    expect(await post('/transaction', { ...pay, receiver: 'mallory' }, 'k1')).toMatchObject({
      status: 422,
      body: { code: refused.body['code'] },
    });
    expect(await post('/transaction', pay, 'k2')).toEqual({ status: 200, body: stored.body });
  });

  test('nobody is taken for clean while the list is not known to be complete', async () => {
    local.cacheData.flush();
    const lost = await post('/transaction', pay);
    expect([lost.status, lost.body['code']]).toEqual([503, 'NOT_ATTEMPTED']);
    await local.ports.cache.apply([{ op: 'add', key: 'fraud', members: ['mallory'] }]);
    expect((await post('/transaction', pay)).status).toBe(503);
    expect(await all('/fetch/all/alice')).toEqual([]);
  });
});

describe('interactions and branches', () => {
  test('are the same after the cache has lost them', async () => {
    const clients = ['alice', 'bob', 'carol', 'dave', 'erin'];
    for (let index = 0; index < 40; index += 1) {
      const sender = clients[index % 5];
      const receiver = clients[(index * 3 + 1) % 5];
      await post('/transaction', { sender, receiver, amount: index + 1 });
      const operationType = index % 2 === 0 ? 'DEPOSIT' : 'WITHDRAW';
      await post('/operation', { client: sender, amount: 1, branch: `branch ${index % 7}`, operationType });
    }
    const read = async (): Promise<unknown> =>
      Promise.all(
        clients.map(async (client) => [
          await all(`/fetch/interactions/${client}`, 2),
          await all(`/fetch/branches/${client}`, 3),
        ]),
      );
    const before = await read();
    local.cacheData.flush();
    expect(await read()).toEqual(before);
    local.cacheData.flush();
    await putFraudList(['mallory']);
    // A write to a lost set does not make it whole: the rest must come from the store.
    await post('/transaction', { sender: 'alice', receiver: 'zoe', amount: 1 });
    expect((await all('/fetch/interactions/alice')).map(({ name }) => name)).toEqual([
      'zoe',
      ...((before as Record<string, unknown>[][][])[0]?.[0] ?? []).map(({ name }) => name),
    ]);
  });

  test('of a client without any are empty, and stay so', async () => {
    expect(await all('/fetch/interactions/nobody')).toEqual([]);
    expect(await all('/fetch/branches/nobody')).toEqual([]);
    await post('/transaction', { ...pay, sender: 'nobody' });
    expect((await all('/fetch/interactions/nobody')).map(({ name }) => name)).toEqual(['bob']);
  });
});

describe('paging', () => {
  test.each([1, 3, 7, 50])('by %i walks every event once, newest first', async (limit) => {
    const ids: unknown[] = [];
    for (let index = 0; index < 25; index += 1) {
      const even = index % 2 === 0;
      const answer = even
        ? await post('/transaction', { ...pay, amount: index + 1 })
        : await post('/operation', { client: 'alice', amount: 1, branch: 'Delft', operationType: 'DEPOSIT' });
      ids.push(answer.body['id']);
    }
    const items = await all('/fetch/all/alice', limit);
    expect(new Set(items.map(({ id }) => id))).toEqual(new Set(ids));
    expect(items).toHaveLength(ids.length);
    const times = items.map(({ at }) => String(at));
    expect(times).toEqual([...times].sort().reverse());
  });

  test('goes on in place when newer events arrive', async () => {
    for (let index = 0; index < 6; index += 1) await post('/transaction', pay);
    const first = await page('/fetch/all/alice?limit=3');
    await post('/transaction', pay);
    const second = await page(`/fetch/all/alice?limit=3&cursor=${first.cursor}`);
    const ids = [...first.items, ...second.items].map(({ id }) => id);
    expect(new Set(ids).size).toBe(6);
    expect(second.cursor).toBeNull();
  });
});
