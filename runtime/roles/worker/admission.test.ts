import { beforeEach, describe, expect, test } from '@jest/globals';
import { Admission, type Timed } from './admission.ts';

const BUDGET = 1_000;
const MAX = 2_000;

let admission: Admission;
let now: number;

beforeEach(() => {
  admission = new Admission(MAX);
  now = 10_000;
});

function operations(count: number, arrivedAt: number): readonly Timed[] {
  return Array.from({ length: count }, () => ({ arrivedAt, deadline: arrivedAt + BUDGET }));
}

/** A batch that ends now; its operations had waited before it started. */
function batch(
  count: number,
  { ms, waitedMs = 0, lanes = 1 }: { ms: number; waitedMs?: number; lanes?: number },
): void {
  now += ms;
  const startedAt = now - ms;
  admission.learn({ operations: operations(count, startedAt - waitedMs), startedAt, endedAt: now, lanes });
}

function batches(times: number, count: number, options: Parameters<typeof batch>[1]): void {
  for (let time = 0; time < times; time += 1) batch(count, options);
}

describe('how many may be in the queue', () => {
  test('is not limited while they are answered in good time', () => {
    batches(10, 256, { ms: 100 });
    expect(admission.limit).toBe(MAX);
  });

  test('becomes what can be answered in time, when they are answered late', () => {
    // 100 a second.
    batches(5, 20, { ms: 200, waitedMs: 700 });
    expect(admission.limit).toBe(40);
  });

  test('counts what is worked on side by side', () => {
    batches(5, 20, { ms: 200, waitedMs: 700, lanes: 2 });
    expect(admission.limit).toBe(80);
  });

  test('never falls so low that nothing is learnt any more', () => {
    batches(40, 1, { ms: 900 });
    expect(admission.limit).toBe(4);
  });

  test('grows again when the rush is over', () => {
    batches(20, 20, { ms: 200, waitedMs: 700 });
    batches(30, 10, { ms: 20 });
    expect(admission.limit).toBe(MAX);
  });

  test('is not made smaller by those who came before it was set', () => {
    batches(5, 20, { ms: 200, waitedMs: 700 });
    const { limit } = admission;
    batch(20, { ms: 200, waitedMs: 700 });
    expect(admission.limit).toBe(limit);
  });

  test('hardly minds a stall that holds up one batch in each lane', () => {
    batches(10, 3, { ms: 3 });
    batches(2, 3, { ms: 900, lanes: 2 });
    expect(admission.limit).toBeGreaterThan(100);
  });
});

describe('how many go into one batch', () => {
  const one = (): Timed => ({ arrivedAt: now, deadline: now + BUDGET });

  test('is a few at first, and then ever more while it makes no difference', () => {
    expect(admission.batchLimit(one())).toBe(32);
    batch(32, { ms: 100 });
    expect(admission.batchLimit(one())).toBe(40);
    batch(100, { ms: 100 });
    expect(admission.batchLimit(one())).toBeGreaterThan(MAX);
  });

  test('is what keeps a quarter of the time, where each adds to it', () => {
    batch(1, { ms: 10 });
    // Five ms each.
    batch(11, { ms: 60 });
    expect(admission.batchLimit(one())).toBe(50);
  });

  test('is some at least', () => {
    batch(1, { ms: 10 });
    batch(11, { ms: 1_010 });
    expect(admission.batchLimit(one())).toBe(16);
  });
});

describe('a patient operation, which has much more time than others', () => {
  const patient = (): Timed => ({ arrivedAt: now, deadline: now + 35 * BUDGET });
  const client = (): Timed => ({ arrivedAt: now, deadline: now + BUDGET });

  test('gets half of the room', () => {
    batches(5, 20, { ms: 200, waitedMs: 700 });
    const { limit } = admission;
    expect(admission.admits(client(), limit - 1)).toBe(true);
    expect(admission.admits(client(), limit)).toBe(false);
    expect(admission.admits(patient(), limit / 2 - 1)).toBe(true);
    expect(admission.admits(patient(), limit / 2)).toBe(false);
  });

  test('gets all of it while there are no others', () => {
    for (let time = 0; time < 5; time += 1) {
      now += 10;
      admission.learn({ operations: [patient()], startedAt: now - 10, endedAt: now, lanes: 1 });
    }
    expect(admission.admits(patient(), MAX - 1)).toBe(true);
  });

  test('does not hide that the others are late', () => {
    batches(5, 20, { ms: 200, waitedMs: 700 });
    const { limit } = admission;
    admission.learn({ operations: [patient()], startedAt: now - 10, endedAt: now, lanes: 1 });
    expect(admission.limit).toBe(limit);
  });
});

describe('an operation that waits', () => {
  test('is hopeless when there is less time left than a batch takes', () => {
    batches(5, 10, { ms: 300 });
    const [early] = operations(1, now - 800);
    const [late] = operations(1, now - 400);
    if (early === undefined || late === undefined) throw new Error('nothing waits');
    expect(admission.isHopeless(early, now)).toBe(true);
    expect(admission.isHopeless(late, now)).toBe(false);
  });

  test('is not hopeless where nothing was decided since it came', () => {
    batches(5, 10, { ms: 300 });
    const [one] = operations(1, now + 1);
    if (one === undefined) throw new Error('nothing waits');
    expect(admission.isHopeless(one, now + BUDGET)).toBe(false);
  });
});
