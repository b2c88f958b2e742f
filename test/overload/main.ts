import { parseArgs } from 'node:util';
import type { Phase, Times } from './child/phase-tally.ts';
import { type OverloadOptions, type OverloadResult, runOverload } from './overload-run.ts';
import { faultsOf } from './verdict.ts';

const USAGE = `Usage: npm run overload -- [--seconds N] [--capacity N] [--times N] [--json]

Sends a platform on slow stores far more writes than they can take, and looks at what becomes of all of them.

  --seconds N   length of the overload (default 60)
  --capacity N  writes per second that the stores can take (default 200)
  --times N     arrivals in the overload, in multiples of the capacity (default 10)
  --json        the result as one line of JSON on standard output

Exit codes: 0; 1 when a request was neither accepted nor refused with 503 and Retry-After; 2 when the command line is
wrong.
`;

const MB = 1_000_000;

await main();

async function main(): Promise<void> {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        capacity: { type: 'string', default: '200' },
        times: { type: 'string', default: '10' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const numbers = [values.seconds, values.capacity, values.times].map(Number);
  const [seconds = NaN, capacity = NaN, times = NaN] = numbers;
  if (!numbers.every((value) => value >= 1 && value <= 100_000)) {
    process.stderr.write(`--seconds, --capacity and --times are numbers from 1 to 100000.\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  await run({ seconds, capacity, times, progress }, values.json);
}

async function run(options: OverloadOptions, json: boolean): Promise<void> {
  const result = await runOverload(options);
  const faults = faultsOf(result);
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : report(result));
  for (const fault of faults) options.progress(`FAULT ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}

function report({ phases, rss }: OverloadResult): string {
  const memory =
    rss === undefined
      ? 'memory: not known on this system'
      : `memory: ${megabytes(rss.before)} before, ${megabytes(rss.peak)} at most, ${megabytes(rss.after)} at the end`;
  return `\n${phases.map(describe).join('\n')}\n${memory}\n`;
}

function describe({ name, requests, answers, accepted, refused, settledAfter }: Phase): string {
  const counts = Object.entries(answers).map(([answer, count]) => `    ${answer}: ${count}`);
  return [
    `${name}: ${requests} requests`,
    ...counts,
    `    accepted after ${timesOf(accepted)}, refused after ${timesOf(refused)}`,
    ...(name === 'after' ? [`    normal service after ${(settledAfter / 1_000).toFixed(1)} s`] : []),
  ].join('\n');
}

function timesOf(times: Times | undefined): string {
  if (times === undefined) return '-';
  const { p50, p99, max } = times;
  return `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, at most ${max.toFixed(0)} ms`;
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(0)} MB`;
}
