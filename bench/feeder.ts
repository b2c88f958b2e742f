import { EmbeddedObjectStore } from '../runtime/adapters/embedded/object-store.ts';
import type { Bench, BenchContext, BenchResult } from './bench.ts';
import { type Figure, figure } from './figures.ts';
import { median } from './rounds.ts';
import { withScope } from './scope.ts';
import { forkServer } from './server-process.ts';
import type { FeederReport } from './servers/feeder-report.ts';

const NAMES = 1_000_000;
const ROUNDS = 3;
const BUCKET = 'fraud';
const KEYS = ['first.txt', 'second.txt'];
const MB = 1_000_000;
/** Where the names go: nowhere, or into the memory of the same process. */
const CACHES = ['counting', 'embedded'] as const;

/** A long fraud list, brought into force and replaced by another one. */
export const feeder: Bench = {
  name: 'feeder',
  description: `loading a fraud list of ${NAMES.toLocaleString('en-US')} names: rate, memory and pauses`,
  run,
};

function run({ options, progress }: BenchContext): Promise<BenchResult> {
  return withScope(async (scope) => {
    const directory = await scope.temporaryDirectory();
    await putLists(directory);
    const rounds = options.rounds ?? ROUNDS;
    const figures: Figure[] = [];
    const failures: string[] = [];
    for (const cache of CACHES) {
      const reports: FeederReport[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        const report = await loadOnce(directory, cache);
        const seconds = report.seconds.toFixed(1);
        progress(`feeder, ${cache}, ${round} of ${rounds}: ${report.names} names in ${seconds} s`);
        if (report.names !== NAMES) failures.push(`feeder: ${report.names} of ${NAMES} names were loaded`);
        reports.push(report);
      }
      figures.push(...figuresOf(cache, reports));
    }
    return { figures, notes: [], failures };
  });
}

async function putLists(directory: string): Promise<void> {
  const objects = await EmbeddedObjectStore.open(directory);
  await objects.ensureBuckets([BUCKET]);
  for (const [index, key] of KEYS.entries()) await objects.put(BUCKET, key, listOf(index));
  await objects.close();
}

/** Names of people with a number; some are not ASCII. Half of them are on both lists. */
function listOf(index: number): Uint8Array {
  const [given, family] = [
    ['Maria', 'José', 'Wei', 'Fatima', 'John', 'Olga', '明'],
    ['Silva', 'Müller', 'Smith', 'Ivanova', 'Nguyen'],
  ];
  const from = (index * NAMES) / 2;
  const nameOf = (n: number): string =>
    `${given[n % given.length] ?? ''} ${family[n % family.length] ?? ''} ${n}\n`;
  return Buffer.from(Array.from({ length: NAMES }, (_, n) => nameOf(from + n)).join(''));
}

/** Loads both lists, one after the other, in a process of its own. */
function loadOnce(directory: string, cache: string): Promise<FeederReport> {
  return withScope(async (scope) => {
    const { ready } = await scope.own(forkServer('feeder', [directory, cache, BUCKET, ...KEYS]));
    return JSON.parse(ready) as FeederReport;
  });
}

function figuresOf(cache: string, reports: readonly FeederReport[]): readonly Figure[] {
  const one = (name: string, unit: string, pick: (report: FeederReport) => number | undefined): Figure =>
    figure('feeder', `${name}.${cache}`, unit, { value: median(reports.map(pick)) });
  const megabytes = (bytes: number | undefined): number | undefined =>
    bytes === undefined ? undefined : bytes / MB;
  return [
    one('rate', 'names/s', ({ names, seconds }) => names / seconds),
    one('rss.peak', 'MB', ({ peak }) => megabytes(peak)),
    one('rss.after', 'MB', ({ after }) => megabytes(after)),
    one('rss.switch.peak', 'MB', ({ switchPeak }) => megabytes(switchPeak)),
    one('rss.switch.after', 'MB', ({ switchAfter }) => megabytes(switchAfter)),
    one('pause', 'ms', ({ pauseMs }) => pauseMs),
  ];
}
