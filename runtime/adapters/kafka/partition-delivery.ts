import type { LogRecord, RecordBatch, SubscribeOptions } from '../../ports/event-log.ts';
import { pause } from '../pause.ts';
import { invalid, KafkaFailure, toPortError } from './failure.ts';
import type { PartitionFeed } from './partition-feed.ts';

/** A partition as its delivery sees it. */
export interface DeliverySource {
  /** The topic as the subscriber calls it. */
  readonly topic: string;
  readonly partition: number;
  /** The group's committed offset, else the start of the partition. */
  committedOrStart(signal: AbortSignal): Promise<bigint>;
  open(from: bigint): PartitionFeed;
  closeFeed(feed: PartitionFeed): void;
  /** Stores the group's offset, durably. */
  commit(offset: bigint): Promise<void>;
}

/** Pauses after a failure, in ms; each further one doubles. */
export interface DeliveryTimes {
  readonly retryPauseMs: number;
  readonly maxRetryPauseMs: number;
}

export const DEFAULT_MAX_RECORDS = 500;
const CALL = 'event-log.subscribe';
const COMMIT = 'event-log.commit';

/** Delivers one partition to one subscriber, batch after batch, until it is stopped. */
export class PartitionDelivery {
  readonly #source: DeliverySource;
  readonly #options: SubscribeOptions;
  readonly #times: DeliveryTimes;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #owned = true;
  #failures = 0;
  /** Where to go on; undefined when it must be asked for. */
  #position: bigint | undefined;
  #feed: PartitionFeed | undefined;
  /** Taken, and not handled yet. */
  #records: readonly LogRecord[] = [];

  constructor(source: DeliverySource, options: SubscribeOptions, times: DeliveryTimes) {
    this.#source = source;
    this.#options = options;
    this.#times = times;
    this.#done = this.#run();
  }

  /** Aborts the signal and resolves when the handler that runs has ended. Until then it may commit. */
  stop(): Promise<void> {
    this.#stopping.abort();
    return this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#step(signal);
        this.#failures = 0;
      } catch (error) {
        const isClosed = error instanceof KafkaFailure && error.kind === 'closed';
        if (this.#stopping.signal.aborted && isClosed) break;
        this.#report(error);
        await pause(this.#pauseMs(), signal);
      }
    }
    this.#dropFeed();
    this.#owned = false;
  }

  /** One batch. */
  async #step(signal: AbortSignal): Promise<void> {
    this.#position ??= await this.#startPosition(signal);
    if (signal.aborted) return;
    if (this.#records.length === 0) this.#records = await this.#take(this.#position, signal);
    const last = this.#records.at(-1);
    if (last === undefined || this.#stopping.signal.aborted) return;
    const { topic, partition } = this.#source;
    const batch: RecordBatch = {
      topic,
      partition,
      records: this.#records,
      signal,
      commit: (nextOffset) => this.#commit(nextOffset),
    };
    await this.#options.onBatch(batch);
    this.#records = [];
    this.#position = last.offset + 1n;
  }

  async #startPosition(signal: AbortSignal): Promise<bigint> {
    const { topic, partition } = this.#source;
    const chosen = await this.#options.onAssigned?.(topic, partition);
    return chosen ?? (await this.#source.committedOrStart(signal));
  }

  async #take(position: bigint, signal: AbortSignal): Promise<readonly LogRecord[]> {
    this.#feed ??= this.#source.open(position);
    try {
      return await this.#feed.take(this.#options.maxRecords ?? DEFAULT_MAX_RECORDS, signal);
    } catch (error) {
      this.#dropFeed();
      // Records are gone, or never were: nothing is skipped. Whoever mends it commits another offset.
      if (error instanceof KafkaFailure && error.kind === 'invalid') this.#position = undefined;
      throw error;
    }
  }

  #dropFeed(): void {
    if (this.#feed !== undefined) this.#source.closeFeed(this.#feed);
    this.#feed = undefined;
  }

  async #commit(nextOffset: bigint): Promise<void> {
    const { topic, partition } = this.#source;
    try {
      if (!this.#owned)
        throw invalid(`partition ${partition} of ${topic} no longer belongs to this consumer`);
      if (nextOffset < 0n) throw invalid(`${nextOffset.toString()} is not an offset`);
      await this.#source.commit(nextOffset);
    } catch (error) {
      throw toPortError(COMMIT, error);
    }
  }

  #pauseMs(): number {
    const { retryPauseMs, maxRetryPauseMs } = this.#times;
    const ms = retryPauseMs * 2 ** this.#failures;
    this.#failures += 1;
    return Math.min(ms, maxRetryPauseMs);
  }

  /** A handler's own error is passed on as it is. */
  #report(error: unknown): void {
    const own = error instanceof Error && !(error instanceof KafkaFailure);
    try {
      this.#options.onError(own ? error : toPortError(CALL, error));
    } catch {
      // A listener's fault must not end the delivery.
    }
  }
}
