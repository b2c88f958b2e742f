import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchContext, BenchResult } from './bench.ts';
import { figure } from './figures.ts';
import { type PlatformOptions, startPlatform } from './platform-process.ts';
import { median } from './rounds.ts';
import { withScope } from './scope.ts';

const STARTS = 5;
/** How long after the ready line the memory is read. */
const IDLE_MS = 3_000;
const MB = 1_000_000;

/** From the start of the process to its ready line, and memory at rest. */
export const start: Bench = {
  name: 'start',
  description: 'process start to the ready line, fresh and again, and memory at rest with two workers',
  run,
};

interface Started {
  readonly seconds: number;
  readonly rssMb: number | undefined;
}

async function run({ options, progress }: BenchContext): Promise<BenchResult> {
  const starts = options.rounds ?? STARTS;
  const series = async (name: string, one: () => Promise<Started>): Promise<readonly Started[]> => {
    const all: Started[] = [];
    for (let count = 1; count <= starts; count += 1) {
      const started = await one();
      all.push(started);
      const rss = started.rssMb === undefined ? '' : `, ${started.rssMb.toFixed(0)} MB`;
      progress(`start, ${name} ${count} of ${starts}: ready in ${started.seconds.toFixed(2)} s${rss}`);
    }
    return all;
  };

  await inFreshDirectory((stateDir) => startOnce({ stateDir }));
  const uncompiled = { NODE_DISABLE_COMPILE_CACHE: '1' };
  const fresh = await series('fresh', () => inFreshDirectory((stateDir) => startOnce({ stateDir }, IDLE_MS)));
  const again = await inFreshDirectory(async (stateDir) => {
    await startOnce({ stateDir });
    return series('again', () => startOnce({ stateDir }));
  });
  const first = await series('no compile cache', () =>
    inFreshDirectory((stateDir) => startOnce({ stateDir, env: uncompiled })),
  );

  const readySeconds = (all: readonly Started[]): { readonly value: number | undefined } => ({
    value: median(all.map(({ seconds }) => seconds)),
  });
  return {
    figures: [
      figure('start', 'ready.fresh', 's', readySeconds(fresh)),
      figure('start', 'ready.again', 's', readySeconds(again)),
      figure('start', 'ready.no-compile-cache', 's', readySeconds(first)),
      figure('start', 'rss', 'MB', { value: median(fresh.map(({ rssMb }) => rssMb)) }),
    ],
    notes: [`start: medians of ${starts} starts each, after one that is not counted.`],
    failures: [],
  };
}

function inFreshDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  return withScope(async (scope) => work(await scope.temporaryDirectory()));
}

/** Starts a platform and stops it. Reads its memory after it was idle for a while, if that is asked for. */
function startOnce(options: PlatformOptions, idleMs?: number): Promise<Started> {
  return withScope(async (scope) => {
    const platform = await scope.own(startPlatform(options));
    const seconds = platform.readyMs / 1000;
    if (idleMs === undefined) return { seconds, rssMb: undefined };
    await sleep(idleMs);
    const bytes = await platform.rssBytes();
    return { seconds, rssMb: bytes === undefined ? undefined : bytes / MB };
  });
}
