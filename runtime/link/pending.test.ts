import { beforeEach, describe, expect, test } from '@jest/globals';
import { FailureCause, Verdict } from '../generated/miniplatform/link/v1/link.ts';
import { failure, type LinkResult, PendingOperations } from './pending.ts';

const DONE: LinkResult = {
  $case: 'decision',
  value: { verdict: Verdict.ANSWERED, reason: '', response: new Uint8Array(0) },
};
const LOST = failure(FailureCause.LINK_LOST, 'the link broke', true);

let pending: PendingOperations;
let settled: [number, LinkResult][];

beforeEach(() => {
  pending = new PendingOperations();
  settled = [];
});

function add(seq: number, deadline = 1_000, bytes = 10): void {
  pending.add(seq, { settle: (result) => settled.push([seq, result]), deadline, bytes });
}

describe('a pending operation', () => {
  test('is settled once: what comes later finds nothing', () => {
    add(1);
    expect(pending.settle(1, DONE)).toBe(true);
    expect(pending.settle(1, LOST)).toBe(false);
    expect(pending.expire(10_000)).toBe(0);
    pending.settleAll(LOST);
    expect(settled).toEqual([[1, DONE]]);
  });

  test('that nobody knows is not settled', () => {
    expect(pending.settle(7, DONE)).toBe(false);
  });

  test('counts, with its bytes, until it is settled', () => {
    add(1, 1_000, 10);
    add(2, 1_000, 30);
    expect([pending.count, pending.bytes]).toEqual([2, 40]);
    pending.settle(1, DONE);
    expect([pending.count, pending.bytes]).toEqual([1, 30]);
    pending.settleAll(LOST);
    expect([pending.count, pending.bytes]).toEqual([0, 0]);
  });

  test('expires when its deadline has come, and no earlier', () => {
    add(1, 100);
    add(2, 300);
    add(3, 200);
    expect(pending.expire(99)).toBe(0);
    expect(pending.expire(200)).toBe(2);
    expect(settled).toEqual([1, 3].map((seq) => [seq, expect.objectContaining({ $case: 'failure' })]));
    expect(settled[0]?.[1].value).toMatchObject({ cause: FailureCause.EXPIRED, attempted: true });
    expect(pending.count).toBe(1);
  });

  test('is settled with all others when the link ends', () => {
    add(1);
    add(2);
    pending.settleAll(LOST);
    expect(settled).toEqual([
      [1, LOST],
      [2, LOST],
    ]);
  });

  test('may be followed by another one from within its own settling', () => {
    pending.add(1, { settle: () => add(2), deadline: 0, bytes: 1 });
    pending.settleAll(LOST);
    expect(settled).toEqual([]);
    expect(pending.count).toBe(1);
  });
});
