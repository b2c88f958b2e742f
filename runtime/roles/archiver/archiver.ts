import { type Clock, pause } from '../../clock.ts';
import { Lifecycle, type Readiness } from '../../lifecycle.ts';
import { LogLimiter } from '../../log-limiter.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import type { EventLog, Subscription, TopicSpec } from '../../ports/event-log.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { type RetryPauses, ServiceWait, type StoreTitles } from '../../service-wait.ts';
import { Assignments } from './assignments.ts';
import { proveConditionalPuts } from './conditional-put.ts';
import { LagMonitor } from './lag-monitor.ts';

export interface ArchiverOptions {
  readonly log: EventLog;
  readonly objects: ObjectStore;
  /** What the two are called where people read it. */
  readonly titles?: StoreTitles;
  /** What is archived: as those declare it who write to it, and not compacted. */
  readonly topic: TopicSpec;
  readonly bucket: string;
  /** Archivers of one consumer group share the partitions. */
  readonly group: string;
  /** Records in one object, at most. */
  readonly batchSize: number;
  /** After how long a batch is archived though it is not full, in ms. */
  readonly maxAgeMs: number;
  /** Bytes in one object before it is packed, at most, unless one record alone has more (8 MiB). */
  readonly maxBytes?: number;
  /** Pauses between tries while a service is away, in ms (200 to 10,000). */
  readonly retry?: RetryPauses;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const MAX_BYTES = 8 * 1024 * 1024;
const RETRY: RetryPauses = { initialMs: 200, maxMs: 10_000 };
/** Encoding so many keeps the event loop for a few ms. */
const MAX_RECORDS = 1_000;
/** Nobody waits for a record to be archived, and a few at a time cost as much each as many do together. */
const GATHER_MS = 250;

/** The role that keeps a topic for ever: it stores its records in an object store, each of them once. */
export class Archiver {
  readonly lifecycle = new Lifecycle();
  readonly #options: ArchiverOptions;
  readonly #assignments: Assignments;
  readonly #monitor: LagMonitor;
  readonly #limiter: LogLimiter;
  readonly #wait: ServiceWait;
  #subscription: Subscription | undefined;
  /** Why it does not run, where that is not because it waits. */
  #idle: string | undefined = 'starting';
  #stopping: Promise<void> | undefined;

  constructor(options: ArchiverOptions) {
    const { log, topic, group, clock, metrics, batchSize, maxAgeMs, maxBytes = MAX_BYTES } = options;
    this.#options = options;
    this.#limiter = new LogLimiter(clock);
    this.#wait = new ServiceWait({ ...options, pauses: options.retry ?? RETRY });
    this.#assignments = new Assignments({
      ...options,
      retry: options.retry ?? RETRY,
      limits: { batchSize, maxBytes, maxAgeMs },
    });
    this.#monitor = new LagMonitor({
      log,
      topic: topic.name,
      group,
      clock,
      metrics,
      reached: (partition) => this.#assignments.reached(partition),
      onMeasured: () => this.#assignments.recheck(),
    });
  }

  /**
   * Begins to archive; resolves when it does, or when it is stopped meanwhile. While a service is away it waits, and
   * its readiness says for which. Rejects when it must not run: the store does not honour conditional puts, or
   * the topic is another one than was asked for.
   */
  async start(): Promise<void> {
    try {
      // At once: who refuses is told of while the other is still away.
      await Promise.all([this.#prepareObjects(), this.#prepareTopic()]);
      await this.#wait.for('log', () => this.#subscribe());
    } catch (error) {
      if (this.#isHalted) return;
      this.#wait.end();
      this.#idle = messageOf(error);
      this.lifecycle.enter('STOPPED');
      throw error;
    }
    if (this.#isHalted) return;
    this.#idle = undefined;
    this.lifecycle.enter('READY');
    this.#monitor.start();
  }

  /** It is ready while every partition that it was assigned is archived; the reason names the first that is not. */
  readiness(): Readiness {
    const { state } = this.lifecycle;
    const reason = this.#reason();
    const ready = state === 'READY' && reason === undefined;
    return { role: 'archiver', state, ready, ...(ready ? {} : { reason: reason ?? 'stopping' }) };
  }

  /**
   * Archives what is buffered, then stops; after the deadline, in ms, it stops all the same, and what was buffered
   * is archived by whoever comes next. Calling it again waits for the first call.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#drain(deadlineMs);
    return this.#stopping;
  }

  get #isHalted(): boolean {
    return this.#wait.isOver;
  }

  #reason(): string | undefined {
    if (this.#idle !== undefined) return this.#wait.reason ?? this.#idle;
    const { trouble } = this.#monitor;
    const waiting = trouble === undefined ? [] : [`waits for the event log: ${trouble}`];
    const [first, ...others] = [...this.#assignments.troubles(), ...waiting];
    return first === undefined || others.length === 0 ? first : `${first} (and ${others.length} more)`;
  }

  async #drain(deadlineMs: number): Promise<void> {
    const { clock, logger } = this.#options;
    this.#wait.end();
    this.#monitor.stop();
    if (this.lifecycle.allows('DRAINING')) this.lifecycle.enter('DRAINING');
    const quiet = this.#assignments.flush().then(() => this.#subscription?.close());
    const late = new AbortController();
    const isInTime = await Promise.race([
      quiet.then(() => true),
      pause(clock, deadlineMs, late.signal).then(() => false),
    ]);
    late.abort();
    this.#assignments.abandon();
    if (!isInTime) {
      logger.warn('stopped before everything buffered was archived; it is archived at the next start');
      // It goes on behind the deadline: what is abandoned lets the subscription close.
      quiet.catch((error: unknown) => logger.warn({ err: error }, 'the subscription did not close'));
    }
    this.lifecycle.enter('STOPPED');
  }

  async #subscribe(): Promise<void> {
    const { log, topic, group, batchSize } = this.#options;
    const subscription = await log.subscribe({
      group,
      topics: [topic.name],
      maxRecords: Math.min(batchSize, MAX_RECORDS),
      gatherMs: GATHER_MS,
      onAssigned: (_topic, partition) => this.#assignments.assign(partition),
      onBatch: (batch) => this.#assignments.add(batch),
      onError: (error) => this.#tell(error),
    });
    if (this.#isHalted) await subscription.close();
    else this.#subscription = subscription;
  }

  async #prepareObjects(): Promise<void> {
    const { objects, bucket } = this.#options;
    await this.#wait.for('objects', () => objects.ensureBuckets([bucket]));
    await this.#wait.for('objects', () => proveConditionalPuts(objects, bucket));
  }

  async #prepareTopic(): Promise<void> {
    const { log, topic } = this.#options;
    await this.#wait.for('log', () => log.ensureTopics([topic]));
  }

  #tell(error: Error): void {
    if (this.#isHalted || this.#assignments.hasTold(error)) return;
    this.#log('log', () => this.#options.logger.warn({ err: error }, 'the event log failed; trying again'));
  }

  #log(kind: string, write: () => void): void {
    if (this.#limiter.admit(kind) !== undefined) write();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
