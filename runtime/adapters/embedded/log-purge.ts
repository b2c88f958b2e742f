import { PortError } from '../../ports/port-error.ts';
import type { EmbeddedDatabase } from './database.ts';
import type { TopicRow } from './thread-protocol.ts';

/** When records go. */
export interface PurgeOptions {
  /** ms since the epoch. */
  readonly now: () => number;
  /** How long a compacted topic keeps tombstones, so that every consumer can see them, in ms. */
  readonly tombstoneRetentionMs: number;
  readonly purgeIntervalMs: number;
}

/** Records per step: a step shares a commit with the writes that wait, and must not hold them up. */
const STEP = 500;
const CALL = 'event-log.purge';

/** Removes old records and tombstones, at once when it starts and then at intervals. */
export class LogPurge {
  readonly #database: EmbeddedDatabase;
  readonly #options: PurgeOptions;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(database: EmbeddedDatabase, options: PurgeOptions) {
    this.#database = database;
    this.#options = options;
    this.#timer = setInterval(() => void this.#runQuietly(), options.purgeIntervalMs);
    this.#timer.unref();
    void this.#runQuietly();
  }

  /** Purges now, after a purge that runs already. */
  run(): Promise<void> {
    const next = this.#running.then(() => this.#purge());
    this.#running = next.catch(() => {});
    return next;
  }

  /** Ends between two steps. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  /** A purge that fails is tried again at the next interval; nothing depends on it. */
  async #runQuietly(): Promise<void> {
    await this.run().catch((error: unknown) => {
      if (!(error instanceof PortError)) throw error;
    });
  }

  async #purge(): Promise<void> {
    const topics = await this.#database.read(CALL, { op: 'topics' });
    const now = this.#options.now();
    for (const topic of topics) {
      const keptMs = topic.compacted ? this.#options.tombstoneRetentionMs : topic.retentionMs;
      if (keptMs === null) continue;
      for (let partition = 0; partition < topic.partitions; partition++) {
        await this.#purgePartition(topic, partition, now - keptMs);
      }
    }
  }

  async #purgePartition({ name }: TopicRow, partition: number, before: number): Promise<void> {
    let removed = STEP;
    while (removed === STEP && !this.#stopped) {
      const request = { op: 'purge', topic: name, partition, before, limit: STEP } as const;
      removed = await this.#database.write(CALL, request, { items: 1, bytes: 0 });
    }
  }
}
