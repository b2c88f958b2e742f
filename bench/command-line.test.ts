import { describe, expect, test } from '@jest/globals';
import type { Bench } from './bench.ts';
import { parseCommandLine, usage } from './command-line.ts';

const run = (): never => {
  throw new Error('not run here');
};
const HOP: Bench = { name: 'hop', description: 'a hop', run };
const BANK: Bench = { name: 'bank', description: 'a bank', run };
const BENCHES = [HOP, BANK];

describe('the command line', () => {
  test('takes a name and flags', () => {
    const args = ['bank', '--json', '--seconds', '2', '--connections', '8'];
    expect(parseCommandLine(args, BENCHES)).toEqual({
      kind: 'run',
      benches: [BANK],
      json: true,
      options: { seconds: 2, rounds: undefined, connections: 8 },
    });
  });

  test('takes all', () => {
    expect(parseCommandLine(['all'], BENCHES)).toMatchObject({ benches: BENCHES, json: false });
  });

  test.each([
    { args: [], message: 'Say which' },
    { args: ['jump'], message: 'no benchmark jump' },
    { args: ['hop', 'bank'], message: 'One benchmark at a time' },
    { args: ['hop', '--rounds', '0'], message: '--rounds is a whole number from 1 to 100, not 0' },
    { args: ['hop', '--seconds', '1.5'], message: '--seconds is a whole number' },
    { args: ['hop', '--fast'], message: '--fast' },
  ])('refuses $args', ({ args, message }) => {
    expect(parseCommandLine(args, BENCHES)).toEqual({
      kind: 'fault',
      message: expect.stringContaining(message),
    });
  });

  test('the usage lists the benchmarks', () => {
    expect(usage(BENCHES)).toContain('\n  bank  a bank\n');
  });
});
