import { beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { turn } from '../../../test/helpers/eventually.ts';
import { ManualClock } from '../../../test/helpers/manual-clock.ts';
import type { Call, ServedOperation } from '../../domain-kit/domain.ts';
import type { Outcome } from '../../domain-kit/outcome.ts';
import { fromWire } from '../../domain-kit/outcome-wire.ts';
import { createMetrics } from '../../metrics.ts';
import { OperationQueue } from './operation-queue.ts';

/** A batch that is being worked on, for the test to end. */
interface Batch {
  readonly calls: readonly Call<Uint8Array>[];
  readonly end: (outcomes: readonly Outcome<Uint8Array>[]) => void;
  readonly fail: (error: Error) => void;
}

const operation = { name: 'test.op', kind: 'read', timeoutMs: 1_000, parked: false } as const;

let clock: ManualClock;
let batches: Batch[];
let outcomes: Map<number, Outcome<Uint8Array>>;
let submitted: number;
let queue: OperationQueue;

beforeEach(() => {
  clock = new ManualClock();
  batches = [];
  outcomes = new Map();
  submitted = 0;
  queue = queueOf({ maxBatch: 100, concurrency: 1 });
});

function queueOf(
  { maxBatch, concurrency }: Pick<ServedOperation, 'maxBatch' | 'concurrency'>,
  bounds = { maxWaiting: 100, maxBatchBytes: 1_000 },
): OperationQueue {
  const handle: ServedOperation['handle'] = (calls) =>
    new Promise((resolve, reject) => batches.push({ calls, end: resolve, fail: reject }));
  return new OperationQueue({
    served: { operation, maxBatch, concurrency, handle },
    clock,
    logger: pino({ level: 'silent' }),
    metrics: createMetrics(),
    ...bounds,
  });
}

/** Submits operations; their number is their place in `outcomes`. */
function submit(count: number, { bytes = 1, deadline = 1_000 } = {}): void {
  for (let n = 0; n < count; n += 1) {
    const number = submitted;
    submitted += 1;
    queue.submit({
      name: operation.name,
      request: new Uint8Array(bytes).fill(number),
      eventId: `${number}`,
      bodyHash: new Uint8Array(0),
      deadline,
      settle: (result) => outcomes.set(number, fromWire(result)),
    });
  }
}

/** Ends a batch with the answer that each call's request is. */
function echo({ calls, end }: Batch): void {
  end(calls.map(({ request }) => ({ verdict: 'ANSWERED', response: request })));
}

function sizes(): readonly number[] {
  return batches.map(({ calls }) => calls.length);
}

describe('group commit', () => {
  test('takes all that comes in one turn together', async () => {
    submit(3);
    expect(batches).toEqual([]);
    await turn();
    expect(sizes()).toEqual([3]);
    batches.forEach(echo);
    await turn();
    expect([...outcomes]).toEqual(
      [0, 1, 2].map((n) => [n, { verdict: 'ANSWERED', response: new Uint8Array([n]) }]),
    );
  });

  test('gathers the next batch while one is worked on', async () => {
    submit(1);
    await turn();
    submit(2);
    await turn();
    submit(3);
    await turn();
    expect(sizes()).toEqual([1]);
    batches.forEach(echo);
    await turn();
    expect(sizes()).toEqual([1, 5]);
  });

  test('works on as many batches at once as allowed', async () => {
    queue = queueOf({ maxBatch: 2, concurrency: 3 });
    submit(10);
    await turn();
    expect(sizes()).toEqual([2, 2, 2]);
    batches.slice(0, 1).forEach(echo);
    await turn();
    expect(sizes()).toEqual([2, 2, 2, 2]);
    batches.forEach(echo);
    await turn();
    batches.forEach(echo);
    await turn();
    expect(outcomes.size).toBe(10);
  });

  test('keeps a batch within its bytes; a larger request goes alone', async () => {
    submit(1, { bytes: 600 });
    submit(1, { bytes: 400 });
    submit(1, { bytes: 5_000 });
    submit(2, { bytes: 1 });
    for (let n = 0; n < 3; n += 1) {
      await turn();
      batches.slice(n).forEach(echo);
    }
    await turn();
    expect(sizes()).toEqual([2, 1, 2]);
    expect(outcomes.size).toBe(5);
  });
});

describe('an operation that waits', () => {
  test('beyond its deadline is answered as expired, and the handler does not see it', async () => {
    submit(1);
    await turn();
    submit(1, { deadline: 50 });
    submit(1, { deadline: 500 });
    clock.advance(50);
    batches.forEach(echo);
    await turn();
    expect(outcomes.get(1)).toMatchObject({ verdict: 'FAILED', cause: 'EXPIRED', attempted: false });
    expect(batches[1]?.calls.map(({ eventId }) => eventId)).toEqual(['2']);
  });

  test('is not held up by a queue of expired ones only', async () => {
    submit(5, { deadline: 0 });
    await turn();
    expect(batches).toEqual([]);
    expect(outcomes.size).toBe(5);
    submit(1);
    await turn();
    expect(sizes()).toEqual([1]);
  });

  test('is refused when the queue is full, and taken when there is room again', async () => {
    queue = queueOf({ maxBatch: 1, concurrency: 1 }, { maxWaiting: 2, maxBatchBytes: 1_000 });
    submit(3);
    expect(outcomes.get(2)).toMatchObject({ verdict: 'FAILED', cause: 'FULL', attempted: false });
    await turn();
    submit(1);
    expect(outcomes.has(3)).toBe(false);
  });
});

describe('a handler', () => {
  test('that rejects fails its batch as of unknown outcome, and no other', async () => {
    submit(2);
    await turn();
    submit(1);
    batches[0]?.fail(new Error('a defect'));
    await turn();
    const defect = expect.objectContaining({ verdict: 'FAILED', cause: 'INTERNAL', attempted: true });
    expect([outcomes.get(0), outcomes.get(1)]).toEqual([defect, defect]);
    batches.slice(1).forEach(echo);
    await turn();
    expect(outcomes.get(2)).toMatchObject({ verdict: 'ANSWERED' });
  });

  test('that gives too few outcomes fails those without one', async () => {
    submit(2);
    await turn();
    batches[0]?.end([{ verdict: 'KEY_REUSED' }]);
    await turn();
    expect(outcomes.get(0)).toEqual({ verdict: 'KEY_REUSED' });
    expect(outcomes.get(1)).toMatchObject({ verdict: 'FAILED', cause: 'INTERNAL', attempted: true });
  });
});
