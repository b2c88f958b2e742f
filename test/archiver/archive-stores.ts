import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { EmbeddedDatabase } from '../../runtime/adapters/embedded/database.ts';
import { EmbeddedEventLog } from '../../runtime/adapters/embedded/event-log.ts';
import { EmbeddedObjectStore } from '../../runtime/adapters/embedded/object-store.ts';
import { decodeLine } from '../../runtime/archive/line.ts';
import { readArchive } from '../../runtime/archive/reader.ts';
import { verifyArchive, type VerifyEvent } from '../../runtime/archive/verify.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createMetrics, type Metrics } from '../../runtime/metrics.ts';
import type { EventLog, TopicSpec } from '../../runtime/ports/event-log.ts';
import type { ObjectStore } from '../../runtime/ports/object-store.ts';
import { Archiver, type ArchiverOptions } from '../../runtime/roles/archiver/archiver.ts';
import { eventually } from '../helpers/eventually.ts';

/** Long enough that a batch which is not full is never archived by itself. */
export const NEVER_MS = 3_600_000;

/** Fresh embedded stores for the tests of one file; each test takes a topic and a bucket of its own. */
export class ArchiveStores {
  readonly log: EmbeddedEventLog;
  readonly objects: EmbeddedObjectStore;
  readonly directory: string;
  /** How much older than now the log thinks it is, in ms. */
  agedMs = 0;
  readonly #database: EmbeddedDatabase;

  private constructor(directory: string, database: EmbeddedDatabase, objects: EmbeddedObjectStore) {
    this.directory = directory;
    this.#database = database;
    this.objects = objects;
    const times = { retryPauseMs: 1, maxRetryPauseMs: 20, lingerMs: 0 };
    this.log = new EmbeddedEventLog(database, { ...times, now: () => Date.now() + this.agedMs });
  }

  static async open(): Promise<ArchiveStores> {
    const directory = await mkdtemp(path.join(tmpdir(), 'mini-platform-archive-'));
    const database = await EmbeddedDatabase.open(directory);
    return new ArchiveStores(
      directory,
      database,
      await EmbeddedObjectStore.open(path.join(directory, 'objects')),
    );
  }

  async close(): Promise<void> {
    await this.log.close();
    await this.#database.close();
    await rm(this.directory, { recursive: true });
  }

  /** Makes a topic and names a bucket for one test. */
  async scene(spec: Partial<TopicSpec> = {}): Promise<Scene> {
    const name = randomBytes(6).toString('hex');
    const topic = { name: `topic-${name}`, partitions: 1, compacted: false, ...spec };
    const [info] = await this.log.ensureTopics([topic]);
    return new Scene(this, { topic, generation: info?.generation ?? '', bucket: `archive-${name}` });
  }
}

interface SceneNames {
  readonly topic: TopicSpec;
  readonly generation: string;
  readonly bucket: string;
}

/** A topic, its archive, and the archivers of one test. */
export class Scene implements SceneNames {
  readonly topic: TopicSpec;
  readonly generation: string;
  readonly bucket: string;
  readonly stores: ArchiveStores;
  readonly #archivers: Archiver[] = [];
  #appended = 0;

  constructor(stores: ArchiveStores, { topic, generation, bucket }: SceneNames) {
    this.stores = stores;
    this.topic = topic;
    this.generation = generation;
    this.bucket = bucket;
  }

  /** Appends so many records with numbers that go on, spread over the partitions by key. */
  async append(count: number): Promise<void> {
    const records = Array.from({ length: count }, (_, place) => {
      const id = `event-${this.#appended + place}`;
      return { topic: this.topic.name, key: id, value: Buffer.from(JSON.stringify({ id })) };
    });
    this.#appended += count;
    await this.stores.log.append(records);
  }

  /** Every id that was appended. */
  get appended(): readonly string[] {
    return Array.from({ length: this.#appended }, (_, place) => `event-${place}`);
  }

  /** An archiver of this topic, not started yet. Retries at once; `options` may put faulty stores in. */
  archiver(options: Partial<ArchiverOptions> = {}): {
    readonly archiver: Archiver;
    readonly metrics: Metrics;
  } {
    const metrics = options.metrics ?? createMetrics();
    const archiver = new Archiver({
      log: this.stores.log satisfies EventLog,
      objects: this.stores.objects satisfies ObjectStore,
      topic: this.topic,
      bucket: this.bucket,
      group: `archiver-${this.topic.name}`,
      batchSize: 4,
      maxAgeMs: NEVER_MS,
      retry: { initialMs: 1, maxMs: 20 },
      clock: systemClock,
      logger: pino({ level: 'silent' }),
      metrics,
      ...options,
    });
    this.#archivers.push(archiver);
    return { archiver, metrics };
  }

  /** An archiver of this topic that runs. */
  async running(
    options: Partial<ArchiverOptions> = {},
  ): Promise<{ readonly archiver: Archiver; readonly metrics: Metrics }> {
    const made = this.archiver(options);
    await made.archiver.start();
    return made;
  }

  /** Stops what was started, without waiting for what is buffered. */
  async end(): Promise<void> {
    await Promise.all(this.#archivers.map((archiver) => archiver.stop(0)));
  }

  /** What a verification of the whole archive tells. */
  async verified(): Promise<readonly VerifyEvent[]> {
    const events: VerifyEvent[] = [];
    const { objects } = this.stores;
    for await (const event of verifyArchive({ objects, bucket: this.bucket })) events.push(event);
    return events;
  }

  /** Kinds of findings of a verification. */
  async findings(): Promise<readonly string[]> {
    return (await this.verified()).flatMap((event) => (event.type === 'finding' ? [event.kind] : []));
  }

  /** Keys of all records in the archive, as often as they are in it. */
  async archived(): Promise<readonly (string | null)[]> {
    const { objects } = this.stores;
    const keys: (string | null)[] = [];
    try {
      for await (const found of readArchive({ objects, bucket: this.bucket }, {})) {
        if (found.kind === 'record') keys.push(decodeLine(found.line)?.key ?? null);
      }
    } catch (error) {
      // The archiver makes the bucket.
      if (!String(error).includes('there is no bucket')) throw error;
    }
    return keys;
  }

  /** Keys of the archive's objects. */
  async keys(): Promise<readonly string[]> {
    const page = await this.stores.objects.list(this.bucket, { prefix: '', limit: 1_000 });
    return page.map(({ key }) => key);
  }

  /** Waits until so many records are in the archive. */
  async untilArchived(count: number): Promise<void> {
    await eventually(
      `${count} records are archived`,
      async () => (await this.archived()).length >= count,
      20_000,
    );
  }
}
