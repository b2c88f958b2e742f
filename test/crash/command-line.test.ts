import { expect, test } from '@jest/globals';
import { parseCommandLine } from './command-line.ts';

const drawn = (): number => 42;

test('has defaults, and draws a seed where none is told', () => {
  expect(parseCommandLine([], drawn)).toEqual({
    kind: 'run',
    options: { kills: 100, seed: 42, sabotage: undefined, json: false },
  });
});

test('takes numbers and a kind of sabotage', () => {
  const args = ['--kills', '1000', '--seed', '7', '--sabotage', 'forget-events', '--json'];
  expect(parseCommandLine(args, drawn)).toEqual({
    kind: 'run',
    options: { kills: 1000, seed: 7, sabotage: { kind: 'forget-events', oneIn: 50 }, json: true },
  });
});

test.each([
  [['--kills', 'many'], '--kills is a whole number up to 100000, not many.'],
  [['--seed', '99999999999'], '--seed is a whole number'],
  [['--sabotage', 'fire'], 'not fire'],
  [['--quietly'], '--quietly'],
  [['once'], 'once'],
])('says what is wrong with %j', (args, message) => {
  expect(parseCommandLine(args, drawn)).toEqual({ kind: 'fault', message: expect.stringContaining(message) });
});
