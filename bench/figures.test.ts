import { expect, test } from '@jest/globals';
import { figure, toJsonLines, toTable } from './figures.ts';

const FIGURES = [
  figure('hop', 'rps@64', 'requests/s', { value: 23_446.123456, baseline: 48_529, ratio: 0.4831234 }),
  figure('hop', 'failed@64', 'requests', { value: 0, baseline: 0 }),
  figure('start', 'rss', 'MB', { value: undefined }),
];

test('the table is aligned, with a dash for what is not known', () => {
  expect(toTable(FIGURES)).toBe(
    [
      'bench  figure      value  unit        baseline  ratio',
      'hop    rps@64     23,446  requests/s    48,529   0.48',
      'hop    failed@64       0  requests           0      -',
      'start  rss             -  MB                 -      -',
      '',
    ].join('\n'),
  );
});

test('JSON is one object per line, with null for what is not known', () => {
  const lines = toJsonLines(FIGURES).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      bench: 'hop',
      figure: 'rps@64',
      value: 23_446.1,
      unit: 'requests/s',
      baseline: 48_529,
      ratio: 0.483123,
    },
    { bench: 'hop', figure: 'failed@64', value: 0, unit: 'requests', baseline: 0, ratio: null },
    { bench: 'start', figure: 'rss', value: null, unit: 'MB', baseline: null, ratio: null },
  ]);
});
