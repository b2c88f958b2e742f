import { expect, test } from '@jest/globals';
import { parseCommandLine, USAGE } from './command-line.ts';
import { FAULTS } from './faults.ts';

const drawn = (): number => 42;

test('has defaults, and draws a seed where none is told', () => {
  expect(parseCommandLine([], drawn)).toEqual({
    kind: 'run',
    options: { rounds: 5, seed: 42, only: undefined, sabotage: undefined, json: false, keep: false },
  });
});

test('takes numbers, names of faults and a kind of sabotage', () => {
  const args = ['--rounds', '20', '--seed', '7', '--only', 'kill-worker,cut-s3', '--sabotage', 'lose-event'];
  expect(parseCommandLine([...args, '--json', '--keep'], drawn)).toEqual({
    kind: 'run',
    options: {
      rounds: 20,
      seed: 7,
      only: ['kill-worker', 'cut-s3'],
      sabotage: 'lose-event',
      json: true,
      keep: true,
    },
  });
});

test.each([
  [['--rounds', 'many'], '--rounds is a whole number from 1 to 10000, not many.'],
  [['--rounds', '0'], '--rounds is a whole number from 1'],
  [['--only', 'fire'], '--only has fire; faults are kill-dispatcher, '],
  [['--only', 'cut-s3,'], '--only has an empty name'],
  [['--sabotage', 'fire'], 'not fire'],
  [['--quietly'], '--quietly'],
  [['once'], 'once'],
])('says what is wrong with %j', (args, message) => {
  expect(parseCommandLine(args, drawn)).toEqual({ kind: 'fault', message: expect.stringContaining(message) });
});

test('every fault has a name of its own, and the help tells of it', () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  for (const { name, what } of FAULTS) expect(USAGE).toMatch(new RegExp(`  ${name} +${what}\n`));
});
