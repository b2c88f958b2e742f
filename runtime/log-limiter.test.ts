import { expect, test } from '@jest/globals';
import { ManualClock } from '../test/helpers/manual-clock.ts';
import { LogLimiter } from './log-limiter.ts';

test('lets one line of each kind through in a period and counts the others', () => {
  const clock = new ManualClock();
  const limiter = new LogLimiter(clock, 1_000);
  expect(limiter.admit('a')).toBe(0);
  expect(limiter.admit('a')).toBeUndefined();
  expect(limiter.admit('b')).toBe(0);
  clock.advance(999);
  expect(limiter.admit('a')).toBeUndefined();
  clock.advance(1);
  expect(limiter.admit('a')).toBe(2);
  clock.advance(1_000);
  expect(limiter.admit('a')).toBe(0);
});
