import { expect, test } from '@jest/globals';
import { parseDuration } from './duration.ts';

test.each([
  ['0ms', 0],
  ['500ms', 500],
  ['2s', 2_000],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['2147483647ms', 2_147_483_647],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  '',
  '5',
  's',
  '1.5s',
  '-1s',
  ' 1s',
  '1s ',
  '1d',
  '1h30m',
  '2147483648ms',
  '597h',
  '9'.repeat(400) + 's',
])('%j is refused', (text) => {
  expect(() => parseDuration(text)).toThrow(RangeError);
});
