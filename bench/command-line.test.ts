import { describe, expect, test } from '@jest/globals';
import type { Bench } from './bench.ts';
import { parseCommandLine, usage } from './command-line.ts';

const run = (): never => {
  throw new Error('not run here');
};
const HOP: Bench = { name: 'hop', description: 'a hop', run };
const BANK: Bench = { name: 'bank', description: 'a bank', services: 'optional', run };
const RESEND: Bench = { name: 'resend', description: 'a resend', services: 'only', run };
const BENCHES = [HOP, BANK, RESEND];

describe('the command line', () => {
  test('takes a name and flags', () => {
    const args = ['bank', '--json', '--seconds', '2', '--connections', '8'];
    expect(parseCommandLine(args, BENCHES)).toEqual({
      kind: 'run',
      benches: [BANK],
      json: true,
      options: { seconds: 2, rounds: undefined, connections: 8, services: false },
    });
  });

  test('takes real services, for the benchmarks that can', () => {
    expect(parseCommandLine(['bank', '--services'], BENCHES)).toMatchObject({ options: { services: true } });
  });

  test('takes all', () => {
    expect(parseCommandLine(['all'], BENCHES)).toMatchObject({ benches: [HOP, BANK], json: false });
    expect(parseCommandLine(['all', '--services'], BENCHES)).toMatchObject({ benches: [BANK, RESEND] });
  });

  test.each([
    { args: [], message: 'Say which' },
    { args: ['jump'], message: 'no benchmark jump' },
    { args: ['hop', 'bank'], message: 'One benchmark at a time' },
    { args: ['hop', '--rounds', '0'], message: '--rounds is a whole number from 1 to 100, not 0' },
    { args: ['hop', '--seconds', '1.5'], message: '--seconds is a whole number' },
    { args: ['hop', '--fast'], message: '--fast' },
    { args: ['hop', '--services'], message: '--services: hop runs on embedded stores only' },
    { args: ['resend'], message: 'resend needs --services' },
  ])('refuses $args', ({ args, message }) => {
    expect(parseCommandLine(args, BENCHES)).toEqual({
      kind: 'fault',
      message: expect.stringContaining(message),
    });
  });

  test('the usage lists the benchmarks', () => {
    expect(usage(BENCHES)).toMatch(/\n {2}bank +a bank\n/);
  });
});
