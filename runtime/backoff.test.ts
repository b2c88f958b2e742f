import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Backoff } from './backoff.ts';

function take(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.next());
}

describe('a backoff', () => {
  test('doubles up to its largest pause', () => {
    expect(take(new Backoff(100, 1_000, () => 0), 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('begins again after a success', () => {
    const backoff = new Backoff(100, 1_000, () => 0);
    take(backoff, 5);
    backoff.reset();
    expect(take(backoff, 2)).toEqual([100, 200]);
  });

  test('takes off up to half at random, never more', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(random, fc.integer({ min: 1, max: 20 }), (value, tries) => {
        const exact = take(new Backoff(50, 2_000, () => 0), tries).at(-1) ?? 0;
        const actual = take(new Backoff(50, 2_000, () => value), tries).at(-1) ?? 0;
        expect(actual).toBeLessThanOrEqual(exact);
        expect(actual).toBeGreaterThanOrEqual(exact / 2);
      }),
    );
  });
});
