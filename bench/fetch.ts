import type { Bench, BenchContext, BenchResult } from './bench.ts';
import { figure } from './figures.ts';
import { fillState, HOT_CLIENT } from './filled-state.ts';
import { type Latencies, measureGets, percentile } from './latency.ts';
import { startPlatform } from './platform-process.ts';
import { seededRandom } from './random-body.ts';
import { median, medianRatio } from './rounds.ts';
import { type Scope, withScope } from './scope.ts';

const MANY = 1_000_000;
const FEW = 10_000;
const ROUNDS = 3;
const PLATFORM = 'bank';
const OTHERS = 10_000;

/** A client's newest transactions, with few and with many events stored. */
export const fetchNewest: Bench = {
  name: 'fetch',
  description: "a client's newest 20 transactions, with 1,000,000 events stored beside 10,000",
  run,
};

/** Who is asked for. */
interface Target {
  readonly name: string;
  readonly client: () => string;
}

const random = seededRandom(1);
const TARGETS: readonly Target[] = [
  { name: 'hot', client: () => HOT_CLIENT },
  { name: 'any', client: () => `c${Math.floor(random() ** 2 * OTHERS)}` },
];

function run({ options, progress }: BenchContext): Promise<BenchResult> {
  return withScope(async (scope) => {
    const rounds = options.rounds ?? ROUNDS;
    const few = await filled(scope, FEW, progress);
    const many = await filled(scope, MANY, progress);
    const figures = [];
    for (const target of TARGETS) {
      const [fewRounds, manyRounds]: [Latencies[], Latencies[]] = [[], []];
      // The first round is to warm up.
      for (let round = 0; round <= rounds; round += 1) {
        const [withMany, withFew] = [
          await measure(many, target, options.seconds),
          await measure(few, target, options.seconds),
        ];
        if (round === 0) continue;
        manyRounds.push(withMany);
        fewRounds.push(withFew);
        const [slow, fast] = [percentile(withMany, 0.99), percentile(withFew, 0.99)];
        progress(
          `fetch, ${target.name} ${round} of ${rounds}: p99 ${ms(slow)} with many, ${ms(fast)} with few`,
        );
      }
      for (const [name, share] of [
        ['p50', 0.5],
        ['p99', 0.99],
      ] as const) {
        const values = manyRounds.map((latencies) => percentile(latencies, share));
        const baselines = fewRounds.map((latencies) => percentile(latencies, share));
        const measured = {
          value: median(values),
          baseline: median(baselines),
          ratio: medianRatio(values, baselines),
        };
        figures.push(figure('fetch', `${target.name}.${name}`, 'ms', measured));
      }
    }
    return {
      figures,
      notes: [`fetch: value with ${MANY} events, baseline with ${FEW}; one request at a time.`],
      failures: [],
    };
  });
}

/** Starts a platform with so many events; resolves to its URL. */
async function filled(scope: Scope, events: number, progress: (line: string) => void): Promise<string> {
  const stateDir = await scope.temporaryDirectory();
  progress(`fetch: storing ${events} events in ${stateDir}`);
  // Not published: an archiver that has much to do would disturb.
  await fillState({ stateDir, name: PLATFORM, events, published: false, progress });
  const { url } = await scope.own(startPlatform({ stateDir }));
  return url;
}

function measure(url: string, { client }: Target, seconds: number): Promise<Latencies> {
  return measureGets(() => `${url}/fetch/transactions/${client()}?limit=20`, seconds);
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(2)} ms`;
}
