import { Backoff } from '../../backoff.ts';
import { type Clock, pause } from '../../clock.ts';
import type { FeederMetrics } from '../../feeder-metrics.ts';
import { Lifecycle, type LifecycleState, type Readiness } from '../../lifecycle.ts';
import type { Logger } from '../../logging.ts';
import type { Cache } from '../../ports/cache.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { ServiceWait, type StoreTitles } from '../../service-wait.ts';
import { FeederReport, type LoadOutcome } from './feeder-report.ts';
import { type FeederCache, type ListInForce, readListState } from './list-in-force.ts';
import {
  type FraudListSource,
  type LoadProgress,
  type LoadResult,
  loadFraudList,
} from './load-fraud-list.ts';

export interface FeederOptions {
  readonly objects: Pick<ObjectStore, 'get' | 'head'>;
  readonly cache: FeederCache & Pick<Cache, 'check'>;
  /** What the two are called where people read it. */
  readonly titles?: StoreTitles;
  readonly source: FraudListSource;
  /** The set by which domains judge. */
  readonly set: string;
  /** How often the object is looked at. */
  readonly intervalMs: number;
  /** Whether a list without any line is taken. */
  readonly allowEmpty: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: FeederMetrics;
  /** Called each 100,000 names of a load, or 2 s. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** How often the cache is asked which list is in force: one that it has lost is back soon. */
const CHECK_MS = 1_000;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 10_000;

/**
 * The role that keeps the fraud list in force: it loads the list when its object has changed and when the cache has
 * lost it (a flush, an eviction, a failover). When it cannot, the list in force stays. Several feeders do no harm.
 */
export class Feeder {
  readonly lifecycle = new Lifecycle();
  readonly #options: FeederOptions;
  readonly #object: string;
  readonly #report: FeederReport;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #looked = Promise.withResolvers<undefined>();
  readonly #loaded = Promise.withResolvers<ListInForce | undefined>();
  readonly #prepared = Promise.withResolvers<undefined>();
  readonly #wait: ServiceWait;
  #running: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  /** As it was last seen. */
  #list: ListInForce | undefined;
  /** When the list in force was last seen to be what the object holds, in ms since the epoch. */
  #verifiedAt: number | undefined;
  /** Content that cannot be put in force and need not be read again. */
  #refused: Extract<LoadResult, { outcome: 'refused' }> | undefined;
  #trouble: string | undefined;
  /** How far a load is that takes long. */
  #progress: string | undefined;
  /** When the object is looked at next, by the monotonic clock. */
  #lookAt = 0;

  constructor(options: FeederOptions) {
    const { source, intervalMs, clock, logger, metrics } = options;
    this.#options = options;
    this.#object = `${source.bucket}/${source.key}`;
    this.#report = new FeederReport({ object: this.#object, clock, logger, metrics });
    this.#backoff = new Backoff(Math.min(RETRY_MS, intervalMs), Math.min(MAX_RETRY_MS, intervalMs));
    this.#wait = new ServiceWait(options);
    // Who does not ask is not told.
    this.#prepared.promise.catch(() => {});
  }

  /** Begins to keep the list in force, until `stop`. */
  start(): void {
    this.lifecycle.enter('JOINING');
    this.#running = this.#run();
    void this.#prepare();
  }

  /**
   * Resolves when both stores were reached, or the feeder stops. Rejects with what waiting does not mend: one of them
   * refuses as it is configured.
   */
  async prepared(): Promise<void> {
    await this.#prepared.promise;
  }

  /** Resolves when the list was looked for once, whatever came of it: see `list` and `trouble`. */
  async firstLook(): Promise<void> {
    await this.#looked.promise;
  }

  /** Resolves to the first list that is in force; undefined when the feeder stops before. */
  loadedOnce(): Promise<ListInForce | undefined> {
    return this.#loaded.promise;
  }

  /** The list in force; undefined while none is known to be. */
  get list(): ListInForce | undefined {
    return this.#list;
  }

  /** Why the list in force, if any, is not known to be the latest, for people; undefined when it is. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Ready means that a list is in force, be it an older one than the object holds. */
  readiness(): Readiness {
    const { state } = this.lifecycle;
    const ready = state === 'READY';
    const waitsFor = this.#progress ?? this.#trouble ?? `${this.#object} is being loaded`;
    const reason = state === 'JOINING' ? waitsFor : state.toLowerCase();
    return { role: 'feeder', state, ready, ...(ready ? {} : { reason }) };
  }

  /** Brings gauges up to date; called before metrics are read. */
  collect(): void {
    this.#report.ages(this.#list, this.#verifiedAt);
  }

  /**
   * Ends a load that is under way and stops; after the deadline, in ms, it stops all the same. The list stays in
   * force. Calling it again waits for the first call.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#drain(deadlineMs);
    return this.#stopping;
  }

  async #drain(deadlineMs: number): Promise<void> {
    const { clock, logger } = this.#options;
    this.#enter('DRAINING');
    this.#wait.end();
    this.#prepared.resolve(undefined);
    this.#stop.abort(new Error('the feeder stops'));
    const giveUp = new AbortController();
    const inTime = await Promise.race([
      this.#running.then(() => true),
      pause(clock, deadlineMs, giveUp.signal).then(() => false),
    ]);
    giveUp.abort();
    if (!inTime) logger.warn('the feeder stopped before the object store or the cache had answered');
    this.#enter('STOPPED');
    this.#looked.resolve(undefined);
    this.#loaded.resolve(undefined);
  }

  async #prepare(): Promise<void> {
    const { cache, objects, source } = this.#options;
    try {
      await this.#wait.forAll({
        cache: () => cache.check(),
        objects: () => objects.head(source.bucket, source.key),
      });
      this.#prepared.resolve(undefined);
    } catch (error) {
      this.#prepared.reject(error);
    }
  }

  async #run(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    const { signal } = this.#stop;
    const isStopped = (): boolean => signal.aborted;
    while (!isStopped()) {
      if (await this.#check()) await this.#lookIfDue();
      this.#looked.resolve(undefined);
      await pause(clock, Math.min(CHECK_MS, intervalMs), signal);
    }
  }

  /** Asks the cache which list is in force; false when it does not answer. */
  async #check(): Promise<boolean> {
    const { cache, set } = this.#options;
    try {
      const { list } = await readListState(cache, set);
      // It is lost, or another feeder has put it in force, perhaps a slow one that had read an older object.
      if (list?.load !== this.#list?.load) this.#lookAt = 0;
      this.#inForce(list);
      return true;
    } catch (error) {
      this.#inForce(undefined);
      this.#trouble = `the cache did not answer (${messageOf(error)})`;
      this.#report.failed(this.#trouble);
      // When it answers, it may be another server.
      this.#lookAt = 0;
      return false;
    }
  }

  async #lookIfDue(): Promise<void> {
    if (this.#options.clock.monotonic() < this.#lookAt) return;
    try {
      this.#take(await this.#look());
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#fail('failed', `${this.#object} could not be loaded (${messageOf(error)})`);
    } finally {
      this.#progress = undefined;
    }
  }

  async #look(): Promise<LoadResult> {
    const { objects, source } = this.#options;
    if (this.#refused !== undefined) {
      const head = await objects.head(source.bucket, source.key);
      if (head?.etag === this.#refused.etag) return this.#refused;
    }
    const onProgress = (progress: LoadProgress): void => {
      this.#progress = `${this.#object} is being loaded, ${progress.names} names so far`;
      this.#report.progress(progress);
      this.#options.onProgress?.(progress);
    };
    return loadFraudList({ ...this.#options, signal: this.#stop.signal, onProgress });
  }

  #take(result: LoadResult): void {
    switch (result.outcome) {
      case 'missing':
        this.#fail('missing', `${this.#object} does not exist`);
        break;
      case 'refused':
        if (result !== this.#refused) this.#report.refusedLines(result.refused);
        this.#refused = result;
        this.#fail('refused', `${this.#object} is refused: ${result.reason}`);
        break;
      case 'loaded':
        this.#report.refusedLines(result.refused);
        this.#report.counted('loaded');
        this.#verified(result.list);
        // The object may have changed while it was loaded.
        this.#lookAt = 0;
        break;
      case 'current':
        this.#verified(result.list);
    }
  }

  #verified(list: ListInForce): void {
    const { clock, intervalMs } = this.#options;
    this.#refused = undefined;
    this.#trouble = undefined;
    this.#verifiedAt = clock.now();
    this.#backoff.reset();
    this.#lookAt = clock.monotonic() + intervalMs;
    this.#inForce(list);
    this.#report.verified();
  }

  #fail(outcome: LoadOutcome, reason: string): void {
    this.#trouble = reason;
    this.#lookAt = this.#options.clock.monotonic() + this.#backoff.next();
    this.#report.counted(outcome);
    this.#report.failed(reason);
  }

  #inForce(list: ListInForce | undefined): void {
    this.#report.inForce(list, this.#list);
    this.#list = list;
    this.#enter(list === undefined ? 'JOINING' : 'READY');
    if (list !== undefined) this.#loaded.resolve(list);
  }

  /** A load may end after the feeder has stopped. */
  #enter(state: LifecycleState): void {
    if (this.lifecycle.allows(state)) this.lifecycle.enter(state);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
