import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { EmbeddedObjectStore } from '../../runtime/adapters/embedded/object-store.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createLogger } from '../../runtime/logging.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import type { ObjectStore } from '../../runtime/ports/object-store.ts';
import { Feeder, type FeederOptions } from '../../runtime/roles/feeder/feeder.ts';
import { peakRssBytes, processRssBytes, resetPeakRss } from '../proc.ts';
import type { FeederReport } from './feeder-report.ts';
import { report } from './report.ts';

const INTERVAL_MS = 100;
const REST_MS = 1_000;

/** Directory of the object store, which cache, the bucket, and the keys of two lists. */
const [, , directory = '', which = '', bucket = '', ...keys] = process.argv;

const store = await EmbeddedObjectStore.open(directory);
let current = keys[0] ?? '';
/** The object of the feeder is the one of the two that is current. */
const objects: Pick<ObjectStore, 'get' | 'head'> = {
  get: (_bucket, _key, options) => store.get(bucket, current, options),
  head: () => store.head(bucket, current),
};
const feeder = new Feeder({
  objects,
  cache: which === 'embedded' ? new EmbeddedCache(new CacheData()) : countingCache(),
  source: { bucket, key: 'list' },
  set: 'fraud',
  intervalMs: INTERVAL_MS,
  allowEmpty: false,
  clock: systemClock,
  logger: createLogger('json', 'warn'),
  metrics: createMetrics(),
});
const delay = monitorEventLoopDelay({ resolution: 1 });

await sleep(REST_MS);
const before = await processRssBytes(process.pid);
const first = await measured(async () => {
  feeder.start();
  await feeder.loadedOnce();
});
const names = feeder.list?.names ?? 0;
const etag = feeder.list?.etag;
const second = await measured(async () => {
  current = keys[1] ?? '';
  while (feeder.list === undefined || feeder.list.etag === etag) await sleep(INTERVAL_MS);
});
const result: FeederReport = {
  names,
  seconds: first.seconds,
  peak: first.peak,
  after: first.after,
  switchPeak: second.peak,
  switchAfter: second.after,
  pauseMs: Math.max(first.pauseMs, second.pauseMs),
};
report(JSON.stringify(result));

interface Measured {
  readonly seconds: number;
  readonly peak: number | undefined;
  readonly after: number | undefined;
  readonly pauseMs: number;
}

async function measured(work: () => Promise<void>): Promise<Measured> {
  await resetPeakRss(process.pid);
  delay.reset();
  delay.enable();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  delay.disable();
  const peak = beyond(await peakRssBytes(process.pid));
  await sleep(REST_MS);
  const after = beyond(await processRssBytes(process.pid));
  return { seconds, peak, after, pauseMs: delay.max / 1e6 };
}

function beyond(bytes: number | undefined): number | undefined {
  return bytes === undefined || before === undefined ? undefined : bytes - before;
}

/** A cache that counts and keeps nothing, as if it were elsewhere and cost nothing to reach. */
function countingCache(): FeederOptions['cache'] {
  let record: Readonly<Record<string, string>> = {};
  return {
    addCounting: (_key, members) => Promise.resolve(members.length),
    apply: (writes) => {
      for (const write of writes) if (write.op === 'setFields') record = write.fields;
      return Promise.resolve(true);
    },
    contains: () => Promise.resolve({ complete: Object.keys(record).length > 0, contains: [] }),
    fields: (_key, fields) => Promise.resolve(fields.map((field) => record[field])),
    check: () => Promise.resolve(),
  };
}
