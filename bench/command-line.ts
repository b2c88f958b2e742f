import { parseArgs } from 'node:util';
import type { Bench, BenchOptions } from './bench.ts';

export type Command =
  | {
      readonly kind: 'run';
      readonly benches: readonly Bench[];
      readonly json: boolean;
      readonly options: BenchOptions;
    }
  | { readonly kind: 'help' }
  | { readonly kind: 'fault'; readonly message: string };

const DEFAULT_SECONDS = 5;
const OPTIONS = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  connections: { type: 'string' },
  services: { type: 'boolean' },
} as const;

/** Reads the arguments after the name of the script. */
export function parseCommandLine(args: readonly string[], benches: readonly Bench[]): Command {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (values.help === true) return { kind: 'help' };
    const onServices = values.services === true;
    const chosen = choose(positionals, benches, onServices);
    const options = {
      seconds: wholeNumber('--seconds', values.seconds, 600) ?? DEFAULT_SECONDS,
      rounds: wholeNumber('--rounds', values.rounds, 100),
      connections: wholeNumber('--connections', values.connections, 10_000),
      services: onServices,
    };
    return { kind: 'run', benches: chosen, json: values.json === true, options };
  } catch (error) {
    return { kind: 'fault', message: error instanceof Error ? error.message : String(error) };
  }
}

/** What to type, with the list of benchmarks. */
export function usage(benches: readonly Bench[]): string {
  const list = [...benches, { name: 'all', description: 'all of them that can run so, one after the other' }];
  const width = Math.max(...list.map(({ name }) => name.length));
  return `Usage: npm run bench -- NAME [--json] [--seconds N] [--rounds N] [--connections N] [--services]

NAME:
${list.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`).join('\n')}

Options:
  --json           one JSON object per figure on standard output, and nothing else
  --seconds N      length of a round of load (default ${DEFAULT_SECONDS})
  --rounds N       counted rounds of each contestant (default 3), or starts (default 5)
  --connections N  connections of the load, in place of the benchmark's own
  --services       on Kafka, MongoDB, Redis and S3, started for it, in place of embedded stores
  -h, --help       this text
`;
}

function choose(names: readonly string[], benches: readonly Bench[], onServices: boolean): readonly Bench[] {
  const [name, ...more] = names;
  if (name === undefined) throw new Error('Say which benchmark to run.');
  if (more.length > 0) throw new Error(`One benchmark at a time, or all: ${names.join(' ')}`);
  if (name === 'all') return benches.filter((bench) => canRun(bench, onServices));
  const bench = benches.find((known) => known.name === name);
  if (bench === undefined) throw new Error(`There is no benchmark ${name}.`);
  if (!canRun(bench, onServices)) {
    throw new Error(
      onServices ? `--services: ${name} runs on embedded stores only.` : `${name} needs --services.`,
    );
  }
  return [bench];
}

function canRun({ services }: Bench, onServices: boolean): boolean {
  return onServices ? services !== undefined : services !== 'only';
}

function wholeNumber(flag: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > max) {
    throw new Error(`${flag} is a whole number from 1 to ${max}, not ${text}.`);
  }
  return value;
}
