import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextDueAt } from './resend-judgement.ts';

test('pauses double from the first to the longest, with up to half taken off', () => {
  const retry = { initialMs: 1_000, maxMs: 300_000, maxAttempts: 100 };
  const pauses = [0, 1, 2, 3, 9, 10, 11, 2_000].map((failures) => nextDueAt(failures, 0, retry, () => 0));
  expect(pauses).toEqual([1_000, 1_000, 2_000, 4_000, 256_000, 300_000, 300_000, 300_000]);
  const property = fc.property(
    fc.nat(200),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (failures, random) => {
      const full = nextDueAt(failures, 0, retry, () => 0);
      const pause = nextDueAt(failures, 0, retry, () => random);
      expect(Number.isSafeInteger(pause)).toBe(true);
      expect(pause).toBeGreaterThanOrEqual(full / 2);
      expect(pause).toBeLessThanOrEqual(full);
    },
  );
  fc.assert(property);
});
