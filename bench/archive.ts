import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { EmbeddedDatabase } from '../runtime/adapters/embedded/database.ts';
import { EmbeddedEventLog } from '../runtime/adapters/embedded/event-log.ts';
import { partitionOf } from '../runtime/adapters/murmur2.ts';
import { EmbeddedObjectStore } from '../runtime/adapters/embedded/object-store.ts';
import { verifyArchive } from '../runtime/archive/verify.ts';
import { systemClock } from '../runtime/clock.ts';
import { toLogValue } from '../runtime/domain-kit/event.ts';
import { createMetrics } from '../runtime/metrics.ts';
import type { EventLog, NewRecord } from '../runtime/ports/event-log.ts';
import type { ObjectStore } from '../runtime/ports/object-store.ts';
import { Archiver } from '../runtime/roles/archiver/archiver.ts';
import type { Bench, BenchContext, BenchResult } from './bench.ts';
import { figure } from './figures.ts';
import { median, medianRatio } from './rounds.ts';
import { type Scope, withScope } from './scope.ts';
import { openLogAndObjects, startServices } from './services.ts';

const RECORDS = 500_000;
const APPEND = 1_000;
const CLIENTS = 10_000;
const ROUNDS = 3;
const TOPIC = { name: 'long_term_storage', partitions: 4, compacted: false };
/** Defaults of spec.archiver. */
const BATCH_SIZE = 1_000;
const MAX_AGE_MS = 30_000;
const STOP_MS = 60_000;

/** Brings a full log to the archive. */
export const archive: Bench = {
  name: 'archive',
  description: `archiving ${RECORDS.toLocaleString('en-US')} records on embedded stores, beside only reading them; --services`,
  services: 'optional',
  run,
};

interface Stores {
  readonly log: EventLog;
  readonly objects: ObjectStore;
}

interface Measured {
  readonly perSecond: number;
  /** CPU time of the process, all its threads, in µs per record. */
  readonly cpuMicros: number;
}

interface Archived extends Measured {
  readonly objects: number;
  readonly bytes: number;
  readonly failures: readonly string[];
}

function run({ options, progress }: BenchContext): Promise<BenchResult> {
  return withScope(async (scope) => {
    const stores = await (options.services ? openServiceStores(scope) : openEmbeddedStores(scope));
    progress(`archive: filling the log with ${RECORDS} records`);
    await fill(stores.log);
    const rounds = options.rounds ?? ROUNDS;
    const [archived, read]: [Archived[], Measured[]] = [[], []];
    const failures: string[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const subject = await archiveAll(stores, round);
      const baseline = await readAll(stores.log, round);
      failures.push(...subject.failures);
      const what = round === 0 ? 'to warm up' : `${round} of ${rounds}`;
      progress(
        `archive, ${what}: ${subject.perSecond.toFixed(0)} records/s archived, ` +
          `${baseline.perSecond.toFixed(0)} only read`,
      );
      if (round === 0) continue;
      archived.push(subject);
      read.push(baseline);
    }
    return { figures: figuresOf(archived, read), notes: [], failures };
  });
}

function figuresOf(archived: readonly Archived[], read: readonly Measured[]): BenchResult['figures'] {
  const pair = (name: string, unit: string, pick: (measured: Measured) => number) =>
    figure('archive', name, unit, {
      value: median(archived.map(pick)),
      baseline: median(read.map(pick)),
      ratio: medianRatio(archived.map(pick), read.map(pick)),
    });
  return [
    pair('rate', 'records/s', ({ perSecond }) => perSecond),
    pair('cpu', 'µs/record', ({ cpuMicros }) => cpuMicros),
    figure('archive', 'objects', 'objects', { value: median(archived.map(({ objects }) => objects)) }),
    figure('archive', 'size', 'bytes/record', {
      value: median(archived.map(({ bytes }) => bytes / RECORDS)),
    }),
  ];
}

async function openEmbeddedStores(scope: Scope): Promise<Stores> {
  const directory = await scope.temporaryDirectory();
  const { database } = await scope.own(
    EmbeddedDatabase.open(directory).then((opened) => ({ database: opened, stop: () => opened.close() })),
  );
  const log = new EmbeddedEventLog(database);
  await scope.own(Promise.resolve({ stop: () => log.close() }));
  return { log, objects: await EmbeddedObjectStore.open(path.join(directory, 'objects')) };
}

async function openServiceStores(scope: Scope): Promise<Stores> {
  return openLogAndObjects(scope, await startServices(scope));
}

/** Transactions of a bank, as its workers publish them; as many in each partition, so that every batch is full. */
async function fill(log: EventLog): Promise<void> {
  await log.ensureTopics([TOPIC]);
  for (let filled = 0; filled < RECORDS; filled += APPEND) {
    await log.append(Array.from({ length: APPEND }, (_, place) => transaction(place % TOPIC.partitions)));
  }
}

function transaction(partition: number): NewRecord {
  const id = idIn(partition);
  const client = (): string => `c${Math.floor(Math.random() * CLIENTS)}`;
  const content = { sender: client(), receiver: client(), amount: 1 + Math.floor(Math.random() * 1_000_000) };
  const bodyHash = randomBytes(32).toString('base64url');
  const record = {
    id,
    bodyHash,
    verdict: 'INSERTED',
    at: Date.now(),
    bootId: '',
    content,
    lookup: {},
  } as const;
  return { topic: TOPIC.name, key: id, value: toLogValue('bank.transaction', record) };
}

function idIn(partition: number): string {
  for (;;) {
    const id = randomUUID();
    if (partitionOf(Buffer.from(id), TOPIC.partitions) === partition) return id;
  }
}

/** From the start of an archiver, with an empty archive, until it has stopped with everything in it. */
async function archiveAll({ log, objects }: Stores, round: number): Promise<Archived> {
  const bucket = `archive-${round}`;
  const metrics = createMetrics();
  const archiver = new Archiver({
    log,
    objects,
    topic: TOPIC,
    bucket,
    group: bucket,
    batchSize: BATCH_SIZE,
    maxAgeMs: MAX_AGE_MS,
    clock: systemClock,
    logger: pino({ level: 'error' }, pino.destination(2)),
    metrics,
  });
  const count = async (metric: 'archivedRecords' | 'archivedObjects' | 'archivedBytes'): Promise<number> =>
    (await metrics[metric].get()).values[0]?.value ?? 0;
  const measured = await measure(async () => {
    await archiver.start();
    while ((await count('archivedRecords')) < RECORDS) await sleep(10);
    await archiver.stop(STOP_MS);
  });
  return {
    ...measured,
    objects: await count('archivedObjects'),
    bytes: await count('archivedBytes'),
    failures: await faultsOf(objects, bucket),
  };
}

/** The same, but for what is done with the records. */
async function readAll(log: EventLog, round: number): Promise<Measured> {
  return measure(async () => {
    const done = Promise.withResolvers<undefined>();
    let records = 0;
    const subscription = await log.subscribe({
      group: `read-${round}`,
      topics: [TOPIC.name],
      maxRecords: BATCH_SIZE,
      onBatch: (batch) => {
        records += batch.records.length;
        if (records === RECORDS) done.resolve(undefined);
        return Promise.resolve();
      },
      onError: (error) => done.reject(error),
    });
    await done.promise;
    await subscription.close();
  });
}

async function measure(work: () => Promise<void>): Promise<Measured> {
  const [cpu, startedAt] = [process.cpuUsage(), performance.now()];
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: RECORDS / seconds, cpuMicros: (user + system) / RECORDS };
}

async function faultsOf(objects: ObjectStore, bucket: string): Promise<readonly string[]> {
  const faults: string[] = [];
  let records = 0;
  for await (const event of verifyArchive({ objects, bucket })) {
    if (event.type === 'finding') faults.push(`archive: ${event.key}: ${event.message}`);
    if (event.type === 'partition') records += event.records;
  }
  if (records !== RECORDS) faults.push(`archive: ${records} of ${RECORDS} records are in the archive`);
  return faults.slice(0, 10);
}
