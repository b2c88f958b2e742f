import { parseArgs } from 'node:util';
import { SABOTAGES, type SabotageOrder } from './child/orders.ts';

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  readonly sabotage: SabotageOrder | undefined;
  /** The result as one line of JSON on standard output, in place of the table. */
  readonly json: boolean;
}

export type Command =
  | { readonly kind: 'run'; readonly options: CrashOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'fault'; readonly message: string };

const OPTIONS = {
  kills: { type: 'string' },
  seed: { type: 'string' },
  sabotage: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const DEFAULT_KILLS = 100;
const MAX_SEED = 2 ** 31 - 1;
/** One in so many calls is a lie. */
const SABOTAGE_ONE_IN = 50;

export const USAGE = `Usage: npm run crash -- [--kills N] [--seed N] [--sabotage KIND] [--json]

Kills a platform under load, N times, and checks that nothing it has said was broken.

  --kills N        how often (default ${DEFAULT_KILLS})
  --seed N         the same seed gives the same load, crash points and moments (default: drawn)
  --sabotage KIND  lets the stores lie, to see that it is found: ${SABOTAGES.join(', ')}
  --json           the result as one line of JSON on standard output
  -h, --help       this text

Exit codes: 0; 1 when a promise was broken, with the details and the state kept; 2 when the command line is wrong.
`;

/** Reads the arguments after the name of the script; `drawSeed` gives the seed where none is told. */
export function parseCommandLine(args: readonly string[], drawSeed: () => number): Command {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    if (values.help === true) return { kind: 'help' };
    return {
      kind: 'run',
      options: {
        kills: wholeNumber('--kills', values.kills, 100_000) ?? DEFAULT_KILLS,
        seed: wholeNumber('--seed', values.seed, MAX_SEED) ?? drawSeed(),
        sabotage: sabotageOf(values.sabotage),
        json: values.json === true,
      },
    };
  } catch (error) {
    return { kind: 'fault', message: error instanceof Error ? error.message : String(error) };
  }
}

function sabotageOf(text: string | undefined): SabotageOrder | undefined {
  if (text === undefined) return undefined;
  const kind = SABOTAGES.find((known) => known === text);
  if (kind === undefined) throw new Error(`--sabotage is one of ${SABOTAGES.join(', ')}, not ${text}.`);
  return { kind, oneIn: SABOTAGE_ONE_IN };
}

function wholeNumber(flag: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max)
    throw new Error(`${flag} is a whole number up to ${max}, not ${text}.`);
  return value;
}
