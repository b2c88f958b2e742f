import { parseArgs } from 'node:util';
import { FAULTS } from './faults.ts';
import { type SabotageKind, SABOTAGES } from './sabotage.ts';

export interface FaultsOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Names of faults; undefined: all of them. */
  readonly only: readonly string[] | undefined;
  readonly sabotage: SabotageKind | undefined;
  /** The result as one line of JSON on standard output, in place of the tables. */
  readonly json: boolean;
  /** Whether the journal and the logs are kept though all is well. */
  readonly keep: boolean;
}

export type Command =
  | { readonly kind: 'run'; readonly options: FaultsOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'fault'; readonly message: string };

const OPTIONS = {
  rounds: { type: 'string' },
  seed: { type: 'string' },
  only: { type: 'string' },
  sabotage: { type: 'string' },
  json: { type: 'boolean' },
  keep: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const DEFAULT_ROUNDS = 5;
const MAX_SEED = 2 ** 31 - 1;

const NAMES = FAULTS.map(({ name }) => name);
const WIDTH = Math.max(...NAMES.map((name) => name.length));

export const USAGE = `Usage: npm run faults -- [--rounds N] [--seed N] [--only NAME,NAME] [--sabotage KIND]
                          [--json] [--keep]

Breaks a platform on real services under load in many ways, one after the other, and checks that it recovers by itself
and that nothing it has said was broken. Services and roles are processes of its own.

  --rounds N       how often each fault (default ${DEFAULT_ROUNDS})
  --seed N         the same seed gives the same load, order and lengths of the faults (default: drawn)
  --only NAMES     these faults only, separated by commas
  --sabotage KIND  breaks a promise at the end, to see that it is found: ${SABOTAGES.join(', ')}
  --json           the result as one line of JSON on standard output
  --keep           keeps the journal of the run and the logs of the roles though all is well
  -h, --help       this text

Faults:
${FAULTS.map(({ name, what }) => `  ${name.padEnd(WIDTH)}  ${what}`).join('\n')}

Exit codes: 0; 1 when a promise was broken or something did not recover; 2 when the command line is wrong; 3 when a
service cannot be had on this machine.
`;

/** Reads the arguments after the name of the script; `drawSeed` gives the seed where none is told. */
export function parseCommandLine(args: readonly string[], drawSeed: () => number): Command {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    if (values.help === true) return { kind: 'help' };
    return {
      kind: 'run',
      options: {
        rounds: wholeNumber('--rounds', values.rounds, { min: 1, max: 10_000 }) ?? DEFAULT_ROUNDS,
        seed: wholeNumber('--seed', values.seed, { min: 0, max: MAX_SEED }) ?? drawSeed(),
        only: values.only?.split(',').map(faultNamed),
        sabotage: sabotageOf(values.sabotage),
        json: values.json === true,
        keep: values.keep === true,
      },
    };
  } catch (error) {
    return { kind: 'fault', message: error instanceof Error ? error.message : String(error) };
  }
}

function faultNamed(name: string): string {
  if (!NAMES.includes(name))
    throw new Error(`--only has ${name || 'an empty name'}; faults are ${NAMES.join(', ')}.`);
  return name;
}

function sabotageOf(text: string | undefined): SabotageKind | undefined {
  if (text === undefined) return undefined;
  const kind = SABOTAGES.find((known) => known === text);
  if (kind === undefined) throw new Error(`--sabotage is one of ${SABOTAGES.join(', ')}, not ${text}.`);
  return kind;
}

function wholeNumber(
  flag: string,
  text: string | undefined,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new Error(`${flag} is a whole number from ${min} to ${max}, not ${text}.`);
  }
  return value;
}
