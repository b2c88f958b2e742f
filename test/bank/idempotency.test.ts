import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EncodedCall, ServedOperation } from '../../runtime/domain-kit/domain.ts';
import type { Outcome } from '../../runtime/domain-kit/outcome.ts';
import { transaction } from '../../runtime/domains/bank/definitions.ts';
import { bank } from '../../runtime/domains/bank/index.ts';
import { TransactionRequest } from '../../runtime/generated/miniplatform/bank/v1/bank.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { Faults } from '../helpers/fakes.ts';
import { type LocalDomain, openLocalDomain } from '../helpers/local-bank.ts';

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const pay = { sender: 'alice', receiver: 'bob', amount: 1234 };
const payMallory = { ...pay, receiver: 'mallory' };

let local: LocalDomain;
let faults: Faults;

beforeEach(async () => {
  faults = new Faults();
  local = await openLocalDomain(bank, (ports) => ({
    ...ports,
    documents: faults.wrap(ports.documents),
    cache: faults.wrap(ports.cache),
    log: faults.wrap(ports.log),
  }));
  await putFraudList('mallory');
});

afterEach(() => local.close());

/** Puts another list in place of the one before. */
async function putFraudList(...names: readonly string[]): Promise<void> {
  await local.ports.cache.apply([
    { op: 'delete', key: 'fraud' },
    { op: 'add', key: 'fraud', members: names },
    { op: 'mark', key: 'fraud', scored: false },
  ]);
}

async function post(body: object, key: string): Promise<Answer> {
  const headers = { 'idempotency-key': key };
  const request = { method: 'POST', url: '/transaction', payload: body, headers } as const;
  const response = await local.http.inject(request);
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}

async function listed(client: string): Promise<readonly unknown[]> {
  const response = await local.http.inject({ method: 'GET', url: `/fetch/transactions/${client}` });
  return response.json<{ items: unknown[] }>().items;
}

/** What stays the same in each answer of a problem. */
function problem({ status, body }: Answer): unknown {
  return [status, body['code']];
}

describe('the first answer stays the answer over HTTP', () => {
  test('when an accepted receiver is listed later', async () => {
    const first = await post(pay, 'k');
    await putFraudList('mallory', 'bob');
    expect(problem(await post(pay, 'other'))).toEqual([422, 'FRAUDULENT']);
    expect(await post(pay, 'k')).toEqual({ status: 200, body: first.body });
  });

  test('when a refused receiver is taken off the list later', async () => {
    const first = await post(payMallory, 'k');
    await putFraudList('nobody');
    expect((await post(payMallory, 'other')).status).toBe(201);
    expect(problem(await post(payMallory, 'k'))).toEqual(problem(first));
    expect(await listed('mallory')).toHaveLength(1);
  });

  test('when it is no longer known who is listed', async () => {
    const first = await post(pay, 'k1');
    await post(payMallory, 'k2');
    local.cacheData.flush();
    expect(await post(pay, 'k1')).toEqual({ status: 200, body: first.body });
    expect(problem(await post(payMallory, 'k2'))).toEqual([422, 'FRAUDULENT']);
    expect(problem(await post({ ...pay, amount: 1 }, 'k1'))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(problem(await post(pay, 'new'))).toEqual([503, 'NOT_ATTEMPTED']);
  });

  test('and is not guessed while neither list nor store can be asked', async () => {
    await post(pay, 'k');
    faults.failNext('contains', new PortError('unavailable', 'cache.contains', 'away'));
    faults.failNext('findByIds', new PortError('unavailable', 'document-store.findByIds', 'away'));
    expect(problem(await post(pay, 'k'))).toEqual([503, 'NOT_ATTEMPTED']);
  });

  test('when the key comes with another body, whatever the first one came to', async () => {
    await post(pay, 'k1');
    await post(payMallory, 'k2');
    for (const key of ['k1', 'k2']) {
      expect(problem(await post({ ...pay, amount: 1 }, key))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
      expect(problem(await post({ ...payMallory, amount: 1 }, key))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    }
    expect(await listed('alice')).toHaveLength(1);
  });

  test('after a restart, and is what the lists show', async () => {
    const first = await post(pay, 'k1');
    await post(payMallory, 'k2');
    local = await local.restart();
    expect(await listed('alice')).toEqual([first.body]);
    // The fraud list is lost with the cache, and not needed for what is decided.
    expect(await post(pay, 'k1')).toEqual({ status: 200, body: first.body });
    expect(problem(await post(payMallory, 'k2'))).toEqual([422, 'FRAUDULENT']);
    await putFraudList('bob');
    expect(await post(pay, 'k1')).toEqual({ status: 200, body: first.body });
    expect(await listed('mallory')).toEqual([]);
  });

  test('when the cache failed after it was stored', async () => {
    faults.failNext('apply', new PortError('unavailable', 'cache.apply', 'away'));
    expect(problem(await post(pay, 'k'))).toEqual([503, 'OUTCOME_UNKNOWN']);
    const stored = await listed('alice');
    expect(stored).toHaveLength(1);
    expect(await post(pay, 'k')).toEqual({ status: 200, body: stored[0] });
    const interactions = await local.http.inject({ method: 'GET', url: '/fetch/interactions/alice' });
    expect(interactions.json<{ items: unknown[] }>().items).toMatchObject([{ name: 'bob' }]);
  });

  test('when the log failed at a resend, which publishes again', async () => {
    const first = await post(pay, 'k');
    faults.failNext('append', new PortError('unavailable', 'event-log.append', 'away'));
    expect(problem(await post(pay, 'k'))).toEqual([503, 'OUTCOME_UNKNOWN']);
    expect(await post(pay, 'k')).toEqual({ status: 200, body: first.body });
    expect(await listed('alice')).toEqual([first.body]);
  });
});

describe('the same key at the same moment', () => {
  /** The bank's transactions in a worker of its own on the same stores. */
  function worker(bootId: string): ServedOperation['handle'] {
    const served = bank.serve({ ...local.ports, bootId });
    const found = served.find(({ operation }) => operation.name === transaction.name);
    if (found === undefined) throw new Error('the bank serves no transactions');
    return found.handle;
  }

  function call(eventId: string, request: TransactionRequest): EncodedCall {
    const bytes = TransactionRequest.encode(request).finish();
    return { request: bytes, eventId, bodyHash: createHash('sha256').update(bytes).digest('base64url') };
  }

  function verdicts(outcomes: readonly Outcome<Uint8Array>[]): readonly string[] {
    return outcomes.map(({ verdict }) => verdict).sort();
  }

  function bodies(outcomes: readonly Outcome<Uint8Array>[]): readonly string[] {
    const responses = outcomes.flatMap((outcome) => ('response' in outcome ? [outcome.response] : []));
    return [...new Set(responses.map((response) => Buffer.from(response).toString('hex')))];
  }

  const other = { ...pay, amount: 1 };

  /** Ways in which two writes meet. */
  const meetings = {
    'in one batch': async (one: EncodedCall, two: EncodedCall) => worker('a')([one, two]),
    'in two batches of one worker': async (one: EncodedCall, two: EncodedCall) => {
      const handle = worker('a');
      return (await Promise.all([handle([one]), handle([two])])).flat();
    },
    'on two workers': async (one: EncodedCall, two: EncodedCall) =>
      (await Promise.all([worker('a')([one]), worker('b')([two])])).flat(),
  };

  describe.each(Object.entries(meetings))('%s', (_, meet) => {
    test('with the same body is stored once, and both are answered the same', async () => {
      const outcomes = await meet(call('k', pay), call('k', pay));
      expect(verdicts(outcomes)).toEqual(['DUPLICATED', 'INSERTED']);
      expect(bodies(outcomes)).toHaveLength(1);
      expect(await listed('alice')).toHaveLength(1);
    });

    test('with two bodies is stored once, and the other one is told', async () => {
      const outcomes = await meet(call('k', pay), call('k', other));
      expect(verdicts(outcomes)).toEqual(['INSERTED', 'KEY_REUSED']);
      expect(await listed('alice')).toHaveLength(1);
    });

    test('is refused once for all', async () => {
      const outcomes = await meet(call('k', payMallory), call('k', payMallory));
      expect(verdicts(outcomes)).toEqual(['REFUSED', 'REFUSED']);
      expect(await listed('alice')).toEqual([]);
    });

    test('with a discard is decided once, the same for both', async () => {
      const write = call('k', pay);
      const outcomes = await meet(write, { ...write, discard: true });
      expect([
        ['DUPLICATED', 'INSERTED'],
        ['DISCARDED', 'DISCARDED'],
      ]).toContainEqual(verdicts(outcomes));
      expect(await listed('alice')).toHaveLength(verdicts(outcomes)[0] === 'DUPLICATED' ? 1 : 0);
    });
  });
});
