import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { type Answered, ParkingPlatform } from '../helpers/parking-platform.ts';

const SOON_MS = 15_000;

let platform: ParkingPlatform;

afterEach(() => platform.stop());

/** Waits until an event is in this state, and returns what is told of it. */
async function inState(key: string, state: string): Promise<Record<string, unknown>> {
  const probe = async (): Promise<Record<string, unknown> | false> => {
    const { body } = await platform.get(`/events/bank.transaction/${key}`);
    return body['state'] === state && body;
  };
  return eventually(`${key} is ${state}`, probe, SOON_MS);
}

/** Waits until nothing is parked in a state. */
function nothingIn(state: string): Promise<boolean> {
  return eventually(
    `nothing is ${state}`,
    async () => {
      const { body } = await platform.admin('GET', `/parked?state=${state}`);
      return Array.isArray(body['items']) && body['items'].length === 0;
    },
    SOON_MS,
  );
}

async function fetched(): Promise<readonly Record<string, unknown>[]> {
  const { status, body } = await platform.get('/fetch/all/ada');
  expect(status).toBe(200);
  return body['items'] as readonly Record<string, unknown>[];
}

/** Pays while it cannot be stored, and expects it to be kept. */
async function park(key: string, amount?: number, receiver?: string): Promise<Answered> {
  const answer = await platform.pay(key, amount, receiver);
  expect(answer).toMatchObject({ status: 202, body: { state: 'PARKED', id: key } });
  return answer;
}

describe('while the document store is away', () => {
  beforeEach(async () => {
    platform = await ParkingPlatform.start(2);
    // The topic of parked writes is there once the dispatcher can tell what is in it.
    await nothingIn('PARKED');
    platform.documents.begin();
  });

  test('a write is kept, and stored once when the store is back', async () => {
    const { location, body } = await park('key-1');
    expect(location).toBe('/events/bank.transaction/key-1');
    expect(body).toEqual({ operation: 'bank.transaction', id: 'key-1', state: 'PARKED', location });
    expect(await inState('key-1', 'PARKED')).toMatchObject({ cause: 'STORE_UNAVAILABLE', attempts: 0 });
    // Asked again, it is the same write.
    await park('key-1');

    platform.documents.end();
    await inState('key-1', 'STORED');
    await nothingIn('PARKED');
    expect(await fetched()).toEqual([expect.objectContaining({ id: 'key-1', amount: 12 })]);
    expect(await platform.pay('key-1')).toMatchObject({ status: 200, body: { id: 'key-1' } });
  });

  test('an outage makes no dead letter, however often the write is sent again', async () => {
    await park('key-1');
    await eventually(
      'it was sent more often than maxAttempts',
      async () => {
        const { values } = await platform.metrics.resends.get();
        return values.some(({ labels, value }) => labels.verdict === 'FAILED' && value > 3);
      },
      SOON_MS,
    );
    const dead = await platform.admin('GET', '/parked?state=DEAD_LETTER');
    expect(dead).toMatchObject({ status: 200, body: { items: [] } });
    expect(await platform.admin('GET', '/parked')).toMatchObject({
      body: {
        items: [
          {
            operation: 'bank.transaction',
            id: 'key-1',
            state: 'PARKED',
            attempts: 0,
            location: '/events/bank.transaction/key-1',
          },
        ],
      },
    });
  });

  test('the same key with another body is not taken, and refused when the store can tell', async () => {
    await park('key-1', 12);
    // Whose the key is only the store can tell: until then it is to be asked again.
    const second = platform.pay('key-1', 13);
    platform.documents.end();
    await inState('key-1', 'STORED');
    expect(await second).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    expect(await fetched()).toEqual([expect.objectContaining({ amount: 12 })]);
  });

  test('a refusal is found out later, and told', async () => {
    await park('key-1', 12, 'mallory');
    platform.documents.end();
    expect(await inState('key-1', 'REFUSED')).toMatchObject({ code: 'FRAUDULENT' });
    expect(await platform.pay('key-1', 12, 'mallory')).toMatchObject({ status: 422 });
    expect(await fetched()).toEqual([]);
  });

  test('a write that cannot be kept either is not acknowledged', async () => {
    platform.log.begin();
    const answer = await platform.pay('key-1');
    expect(answer).toMatchObject({
      status: 503,
      location: null,
      body: { code: 'OUTCOME_UNKNOWN', id: 'key-1' },
    });
    platform.log.end();
    platform.documents.end();
    expect((await platform.pay('key-1')).status).toBeLessThan(300);
    expect(await fetched()).toHaveLength(1);
  });

  test('the state of what is neither known nor parked is not told', async () => {
    expect(await platform.get('/events/bank.transaction/key-9')).toMatchObject({
      status: 503,
      body: { code: 'STATE_UNKNOWN' },
    });
    platform.documents.end();
    expect(await platform.get('/events/bank.transaction/key-9')).toMatchObject({
      status: 404,
      body: { code: 'EVENT_NOT_FOUND' },
    });
  });

  test('what is kept outlives the process', async () => {
    await park('key-1');
    platform.documents.end();
    await platform.restart(1);
    await inState('key-1', 'STORED');
    expect(await fetched()).toHaveLength(1);
  });
});

test('while no worker has joined, a write is kept until one does', async () => {
  platform = await ParkingPlatform.start(0);
  await nothingIn('PARKED');
  await park('key-1');
  expect(await inState('key-1', 'PARKED')).toMatchObject({ cause: 'FULL' });
  const second = platform.pay('key-1', 13);
  await platform.scale(1);
  await inState('key-1', 'STORED');
  expect(await second).toMatchObject({ status: 422 });
  expect(await fetched()).toHaveLength(1);
});

test('while the cache is away, writes are kept; what is stored is still told', async () => {
  platform = await ParkingPlatform.start(1);
  await nothingIn('PARKED');
  expect(await platform.pay('key-1')).toMatchObject({ status: 201 });
  platform.cache.begin();
  await park('key-2');
  await park('key-3');
  expect(await inState('key-1', 'STORED')).toMatchObject({ id: 'key-1' });
  expect(await platform.get('/events/bank.transaction/key-2')).toMatchObject({ status: 503 });
  platform.cache.end();
  await inState('key-2', 'STORED');
  await inState('key-3', 'STORED');
  expect(await fetched()).toHaveLength(3);
});

describe('a dead letter', () => {
  const item = {
    operation: 'bank.transaction',
    id: 'key-1',
    state: 'DEAD_LETTER',
    cause: 'INTERNAL',
    attempts: 2,
  };

  beforeEach(async () => {
    platform = await ParkingPlatform.start(1);
    await nothingIn('PARKED');
    platform.documents.beginDefect();
    await park('key-1');
    await eventually(
      'it is set aside',
      async () => {
        const { body } = await platform.admin('GET', '/parked?state=DEAD_LETTER');
        return (body['items'] as readonly unknown[] | undefined)?.length === 1;
      },
      SOON_MS,
    );
    platform.documents.end();
  });

  test('is listed, told of, and stored when it is sent again', async () => {
    expect(await platform.admin('GET', '/parked?state=DEAD_LETTER')).toMatchObject({
      body: { items: [item] },
    });
    expect(await inState('key-1', 'DEAD_LETTER')).toMatchObject({ cause: 'INTERNAL', attempts: 2 });
    expect(await platform.admin('POST', '/parked/bank.transaction/key-1/retry')).toMatchObject({
      status: 202,
      body: { state: 'PARKED', attempts: 0 },
    });
    await inState('key-1', 'STORED');
    await nothingIn('DEAD_LETTER');
    await nothingIn('PARKED');
    expect(await fetched()).toHaveLength(1);
  });

  test('is discarded, and stays so', async () => {
    expect(await platform.admin('DELETE', '/parked/bank.transaction/key-1')).toMatchObject({
      status: 200,
      body: { id: 'key-1', state: 'DISCARDED' },
    });
    expect(await platform.pay('key-1')).toMatchObject({ status: 409, body: { code: 'EVENT_DISCARDED' } });
    expect(await inState('key-1', 'DISCARDED')).toHaveProperty('at');
    await nothingIn('DEAD_LETTER');
    expect(await platform.admin('DELETE', '/parked/bank.transaction/key-1')).toMatchObject({
      status: 404,
      body: { code: 'NOT_PARKED' },
    });
    expect(await fetched()).toEqual([]);
  });

  test('that its client has had stored meanwhile cannot be discarded', async () => {
    expect(await platform.pay('key-1')).toMatchObject({ status: 201 });
    expect(await platform.admin('DELETE', '/parked/bank.transaction/key-1')).toMatchObject({
      status: 409,
      body: { code: 'ALREADY_DECIDED' },
    });
    await nothingIn('DEAD_LETTER');
    expect(await inState('key-1', 'STORED')).toMatchObject({ id: 'key-1' });
  });

  test('stays while it cannot be discarded', async () => {
    platform.documents.begin();
    expect(await platform.admin('DELETE', '/parked/bank.transaction/key-1')).toMatchObject({ status: 503 });
    expect(await inState('key-1', 'DEAD_LETTER')).toMatchObject({ attempts: 2 });
  });
});
