import { describe, expect, test } from '@jest/globals';
import { parseTime } from './time.ts';

const NOW = Date.UTC(2026, 4, 1, 12, 0, 0);

describe('a time', () => {
  test.each([
    { text: '90s', time: NOW - 90_000 },
    { text: '15m', time: NOW - 900_000 },
    { text: '1h', time: NOW - 3_600_000 },
    { text: '7d', time: NOW - 604_800_000 },
    { text: '2026-05-01', time: Date.UTC(2026, 4, 1) },
    { text: '2026-05-01T10:30Z', time: Date.UTC(2026, 4, 1, 10, 30) },
    { text: '2026-05-01T10:30:15.250Z', time: Date.UTC(2026, 4, 1, 10, 30, 15, 250) },
    { text: '2026-05-01T10:30:15+02:00', time: Date.UTC(2026, 4, 1, 8, 30, 15) },
  ])('$text', ({ text, time }) => {
    expect(parseTime(text, NOW)).toBe(time);
  });

  test('without a zone is local', () => {
    expect(parseTime('2026-05-01T10:30:15', NOW)).toBe(new Date(2026, 4, 1, 10, 30, 15).getTime());
  });

  test.each([
    '',
    'h',
    '1',
    '1w',
    '-1h',
    '1.5h',
    'yesterday',
    '2026',
    '2026-13-01',
    '2026-05-01 10:30',
    'May 1',
  ])('%j is none', (text) => {
    expect(parseTime(text, NOW)).toBeUndefined();
  });
});
