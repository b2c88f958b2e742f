import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchContext, BenchResult } from './bench.ts';
import { figure } from './figures.ts';
import { fillState, HOT_CLIENT } from './filled-state.ts';
import { type PlatformProcess, startPlatform } from './platform-process.ts';
import { median, medianRatio } from './rounds.ts';
import { withScope } from './scope.ts';

const EVENTS = 1_000_000;
const KILLS = 5;
const PLATFORM = 'bank';
const WRITERS = 32;
/** So long it is under load before it is killed. */
const LOAD_MS = 2_000;
/** So long the archiver may take for what was filled in. */
const ARCHIVE_MS = 600_000;
const LAG = /^mini_platform_archive_lag_records\{[^}]*\} (\d+)$/gm;

/** From `kill -9` under load to the ready line of the next process. */
export const recover: Bench = {
  name: 'recover',
  description: 'from kill -9 under load to ready again, with 1,000,000 events on disk beside none',
  run,
};

/** Times in seconds from the kill on. */
interface Recovery {
  readonly ready: number;
  /** To the first answer to a fetch, which brings the index up to date. */
  readonly fetched: number;
}

function run(context: BenchContext): Promise<BenchResult> {
  return withScope(async (scope) => {
    const { options, progress } = context;
    const kills = options.rounds ?? KILLS;
    const [full, empty] = [await scope.temporaryDirectory(), await scope.temporaryDirectory()];
    progress(`recover: storing ${EVENTS} events in ${full}`);
    await fillState({ stateDir: full, name: PLATFORM, events: EVENTS, published: true, progress });
    await untilArchived(full, progress);
    const measured: [Recovery[], Recovery[]] = [[], []];
    // The first of each is to warm up.
    for (let kill = 0; kill <= kills; kill += 1) {
      const [withAll, withNone] = [await recoverOnce(full), await recoverOnce(empty)];
      if (kill === 0) continue;
      measured[0].push(withAll);
      measured[1].push(withNone);
      const [all, none] = [withAll.ready.toFixed(2), withNone.ready.toFixed(2)];
      progress(
        `recover ${kill} of ${kills}: ready after ${all} s with all events, after ${none} s with none`,
      );
    }
    const of = (pick: (recovery: Recovery) => number): Parameters<typeof figure>[3] => {
      const [values, baselines] = [measured[0].map(pick), measured[1].map(pick)];
      return { value: median(values), baseline: median(baselines), ratio: medianRatio(values, baselines) };
    };
    return {
      figures: [
        figure(
          'recover',
          'ready',
          's',
          of(({ ready }) => ready),
        ),
        figure(
          'recover',
          'fetched',
          's',
          of(({ fetched }) => fetched),
        ),
      ],
      notes: [
        `recover: medians of ${kills} kills; value with ${EVENTS} events on disk, baseline with those of the load.`,
      ],
      failures: [],
    };
  });
}

/** Lets the archiver come to the end: usually it has, when a process is killed. */
async function untilArchived(stateDir: string, progress: (line: string) => void): Promise<void> {
  await withScope(async (scope) => {
    const { metricsUrl } = await scope.own(startPlatform({ stateDir }));
    progress('recover: waiting for the archiver');
    const end = performance.now() + ARCHIVE_MS;
    for (;;) {
      const metrics = await (await fetch(metricsUrl)).text();
      const lags = [...metrics.matchAll(LAG)].map(([, lag]) => Number(lag));
      if (lags.length > 0 && lags.every((lag) => lag === 0)) return;
      if (performance.now() > end) throw new Error(`not archived within ${ARCHIVE_MS / 1_000} s`);
      await sleep(1_000);
    }
  });
}

/** Starts a platform, loads it, kills it, and starts it again. */
function recoverOnce(stateDir: string): Promise<Recovery> {
  return withScope(async (scope) => {
    const first = await scope.own(startPlatform({ stateDir }));
    const load = writeUntilCut(first);
    await sleep(LOAD_MS);
    const killedAt = performance.now();
    await first.kill();
    const second = await scope.own(startPlatform({ stateDir }));
    const ready = (performance.now() - killedAt) / 1_000;
    await firstFetch(second);
    const fetched = (performance.now() - killedAt) / 1_000;
    await load;
    return { ready, fetched };
  });
}

/** Writes without pause, over several connections, until they are cut. */
async function writeUntilCut({ url }: PlatformProcess): Promise<void> {
  const write = async (): Promise<void> => {
    const body = JSON.stringify({ sender: HOT_CLIENT, receiver: 'c0', amount: 1 });
    for (;;) {
      const response = await fetch(`${url}/transaction`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      await response.arrayBuffer();
    }
  };
  // The kill ends each of them.
  await Promise.allSettled(Array.from({ length: WRITERS }, write));
}

async function firstFetch({ url }: PlatformProcess): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/fetch/transactions/${HOT_CLIENT}?limit=20`);
    await response.arrayBuffer();
    if (response.ok) return;
    if (response.status !== 503) throw new Error(`the first fetch was answered ${response.status}`);
  }
}
