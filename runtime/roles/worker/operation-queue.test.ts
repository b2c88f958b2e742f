import { beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { turn } from '../../../test/helpers/eventually.ts';
import { ManualClock } from '../../../test/helpers/manual-clock.ts';
import type { EncodedCall, ServedOperation } from '../../domain-kit/domain.ts';
import { failed, type Outcome } from '../../domain-kit/outcome.ts';
import { fromWire } from '../../domain-kit/outcome-wire.ts';
import { createMetrics } from '../../metrics.ts';
import { OperationQueue } from './operation-queue.ts';

/** A batch that is being worked on, for the test to end. */
interface Batch {
  readonly calls: readonly EncodedCall[];
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

const BOUNDS = { maxWaiting: 100, maxBatchBytes: 1_000 };

function queueOf(
  { maxBatch, concurrency }: Pick<ServedOperation, 'maxBatch' | 'concurrency'>,
  bounds = BOUNDS,
  logger = pino({ level: 'silent' }),
): OperationQueue {
  const handle: ServedOperation['handle'] = (calls) =>
    new Promise((resolve, reject) => batches.push({ calls, end: resolve, fail: reject }));
  return new OperationQueue({
    served: { operation, maxBatch, concurrency, handle },
    clock,
    logger,
    metrics: createMetrics(),
    ...bounds,
  });
}

function isFull(outcome: Outcome<Uint8Array>): boolean {
  return outcome.verdict === 'FAILED' && outcome.cause === 'FULL';
}

/** Submits operations; their number is their place in `outcomes`. */
function submit(count: number, { bytes = 1, deadline = 1_000, discard = false } = {}): void {
  for (let n = 0; n < count; n += 1) {
    const number = submitted;
    submitted += 1;
    queue.submit({
      name: operation.name,
      request: new Uint8Array(bytes).fill(number),
      eventId: `${number}`,
      bodyHash: new Uint8Array(0),
      discard,
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
  test('beyond its deadline is not shown to the handler: while others are answered, that is too much load', async () => {
    submit(1);
    await turn();
    clock.advance(1);
    submit(1, { deadline: 50 });
    submit(1, { deadline: 500 });
    clock.advance(50);
    batches.forEach(echo);
    await turn();
    expect(outcomes.get(1)).toMatchObject({ verdict: 'FAILED', cause: 'FULL', attempted: false });
    expect(batches[1]?.calls.map(({ eventId }) => eventId)).toEqual(['2']);
  });

  test('beyond its deadline, while everybody fails, has expired: the service is away', async () => {
    submit(1);
    await turn();
    clock.advance(1);
    submit(1, { deadline: 50 });
    submit(1, { deadline: 500 });
    clock.advance(50);
    batches[0]?.end([failed('STORE_UNAVAILABLE', 'away', true)]);
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

  test('is refused when more are in the queue than are answered in time', async () => {
    for (let n = 0; n < 5; n += 1) {
      submit(1, { deadline: clock.monotonic() + 1_000 });
      await turn();
      clock.advance(600);
      batches.slice(n).forEach(echo);
      await turn();
    }
    submit(20, { deadline: clock.monotonic() + 1_000 });
    expect([...outcomes.values()].filter(isFull)).toHaveLength(16);
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
  const defect = expect.objectContaining({ verdict: 'FAILED', cause: 'INTERNAL', attempted: true });

  test('that throws because of one of 32 fails that one alone, as of unknown outcome', async () => {
    const poison = 17;
    queue = queueOf({ maxBatch: 100, concurrency: 1 });
    const answer = (batch: Batch): void => {
      if (batch.calls.some(({ eventId }) => eventId === `${poison}`)) batch.fail(new Error('a defect'));
      else echo(batch);
    };
    submit(32);
    await turn();
    for (let answered = 0; answered < batches.length; answered += 1) {
      batches.slice(answered, answered + 1).forEach(answer);
      await turn();
    }
    expect(outcomes.size).toBe(32);
    expect(outcomes.get(poison)).toEqual(defect);
    for (const [number, outcome] of outcomes) {
      if (number === poison) continue;
      expect(outcome).toEqual({ verdict: 'ANSWERED', response: new Uint8Array([number]) });
    }
    // Halved, not tried one by one: the whole, and two halves of each size from 16 to 1.
    expect(sizes()).toHaveLength(1 + 2 * Math.log2(32));
  });

  test('that throws for a single operation is asked once, and logged with its event and the next ones counted', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) };
    queue = queueOf({ maxBatch: 1, concurrency: 1 }, BOUNDS, pino({}, log));
    submit(3);
    for (let n = 0; n < 3; n += 1) {
      await turn();
      batches[n]?.fail(new Error('a defect'));
    }
    await turn();
    expect([...outcomes.values()]).toEqual([defect, defect, defect]);
    expect(sizes()).toEqual([1, 1, 1]);
    expect(lines).toEqual([
      expect.objectContaining({ msg: 'a handler failed', operation: operation.name, eventId: '0' }),
    ]);
    clock.advance(1_000);
    submit(1, { deadline: 5_000 });
    await turn();
    batches[3]?.fail(new Error('a defect'));
    await turn();
    expect(lines[1]).toMatchObject({ eventId: '3', heldBack: 2 });
  });

  test('that throws is not asked again for what expired meanwhile, whose outcome is unknown', async () => {
    submit(1, { deadline: 50 });
    submit(1, { deadline: 500 });
    submit(2, { deadline: 50 });
    await turn();
    clock.advance(50);
    batches[0]?.fail(new Error('a defect'));
    await turn();
    expect(batches[1]?.calls.map(({ eventId }) => eventId)).toEqual(['1']);
    batches.slice(1).forEach(echo);
    await turn();
    const expired = expect.objectContaining({ verdict: 'FAILED', cause: 'EXPIRED', attempted: true });
    expect([0, 2, 3].map((number) => outcomes.get(number))).toEqual([expired, expired, expired]);
    expect(outcomes.get(1)).toMatchObject({ verdict: 'ANSWERED' });
    expect(batches).toHaveLength(2);
  });

  test('that throws holds up no batch after it', async () => {
    submit(1);
    await turn();
    submit(1);
    batches[0]?.fail(new Error('a defect'));
    await turn();
    batches.slice(1).forEach(echo);
    await turn();
    expect(outcomes.get(0)).toEqual(defect);
    expect(outcomes.get(1)).toMatchObject({ verdict: 'ANSWERED' });
  });

  test('is told which of its calls are discards', async () => {
    submit(1);
    submit(1, { discard: true });
    await turn();
    expect(batches[0]?.calls.map(({ discard }) => discard)).toEqual([false, true]);
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
