import type { LogRecord, RecordBatch, SubscribeOptions } from '../../ports/event-log.ts';
import { PortError } from '../../ports/port-error.ts';
import { pause } from '../pause.ts';

/** A partition as a delivery sees it. */
export interface PartitionSource {
  readonly topic: string;
  readonly partition: number;
  /** Records, and where the partition ends. Rejects with `invalid` for an offset outside of the partition. */
  read(from: bigint, maxRecords: number): Promise<ReadRecords>;
  /** Resolves when there is a record at the offset or behind it, or the signal aborts. */
  reached(offset: bigint, signal: AbortSignal): Promise<void>;
  /** The group's committed offset, else the start of the partition. */
  committedOrStart(): Promise<bigint>;
  /** Stores the group's offset, durably. */
  commit(nextOffset: bigint): Promise<void>;
}

/** What there is from an offset on. */
export interface ReadRecords {
  readonly records: readonly LogRecord[];
  readonly end: bigint;
}

/** Times of a delivery, in ms. */
export interface DeliveryTimes {
  /** First pause after a failure; each further one doubles it. */
  readonly retryPauseMs: number;
  readonly maxRetryPauseMs: number;
  /** Time between two reads under load, in which records gather. The first one after a lull does not wait. */
  readonly lingerMs: number;
}

const DEFAULT_MAX_RECORDS = 500;

/** Delivers one partition to one group member, batch after batch, until it is stopped. */
export class PartitionDelivery {
  readonly #source: PartitionSource;
  readonly #options: SubscribeOptions;
  readonly #times: DeliveryTimes;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #owned = true;
  #failures = 0;
  /** Next offset to read; undefined when it must be asked for. */
  #position: bigint | undefined;
  /** Read and not yet handled. */
  #records: readonly LogRecord[] = [];

  constructor(source: PartitionSource, options: SubscribeOptions, times: DeliveryTimes) {
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
    // Never calls back before subscribing has resolved.
    await new Promise((resolve) => setImmediate(resolve));
    while (!signal.aborted) {
      try {
        await this.#step(signal);
        this.#failures = 0;
      } catch (error) {
        if (this.#stopping.signal.aborted && isClosed(error)) break;
        this.#report(error);
        await pause(this.#pauseMs(), signal);
      }
    }
    this.#owned = false;
  }

  /** One batch, or one wait for the next. */
  async #step(signal: AbortSignal): Promise<void> {
    this.#position ??= await this.#startPosition();
    if (signal.aborted) return;
    if (this.#records.length === 0) {
      const readAt = performance.now();
      const { records, end } = await this.#read(this.#position);
      this.#records = records;
      if (records.length > 0) await this.#deliver(signal);
      else await this.#awaitRecords(end, signal);
      if (records.length < this.#maxRecords) {
        const gatherMs = this.#options.gatherMs ?? this.#times.lingerMs;
        await pause(gatherMs - (performance.now() - readAt), signal);
      }
    } else {
      await this.#deliver(signal);
    }
  }

  /** Goes on from the end and not from where it read: the records in between may have been compacted away. */
  async #awaitRecords(end: bigint, signal: AbortSignal): Promise<void> {
    this.#position = end;
    await this.#source.reached(end, signal);
  }

  get #maxRecords(): number {
    return this.#options.maxRecords ?? DEFAULT_MAX_RECORDS;
  }

  async #startPosition(): Promise<bigint> {
    const { topic, partition } = this.#source;
    const chosen = await this.#options.onAssigned?.(topic, partition);
    return chosen ?? (await this.#source.committedOrStart());
  }

  async #read(from: bigint): Promise<ReadRecords> {
    try {
      return await this.#source.read(from, this.#maxRecords);
    } catch (error) {
      // Records are gone, or never were: nothing is skipped. Whoever mends it commits another offset.
      if (error instanceof PortError && error.kind === 'invalid') this.#position = undefined;
      throw error;
    }
  }

  async #deliver(signal: AbortSignal): Promise<void> {
    const last = this.#records.at(-1);
    if (last === undefined || signal.aborted) return;
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

  async #commit(nextOffset: bigint): Promise<void> {
    const { topic, partition } = this.#source;
    if (!this.#owned) {
      const lost = `partition ${partition} of ${topic} no longer belongs to this consumer`;
      throw new PortError('invalid', 'event-log.commit', lost);
    }
    await this.#source.commit(nextOffset);
  }

  #pauseMs(): number {
    const { retryPauseMs, maxRetryPauseMs } = this.#times;
    const ms = retryPauseMs * 2 ** this.#failures;
    this.#failures += 1;
    return Math.min(ms, maxRetryPauseMs);
  }

  #report(error: unknown): void {
    try {
      this.#options.onError(error instanceof Error ? error : new Error(String(error)));
    } catch {
      // A listener's fault must not end the delivery.
    }
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof PortError && error.kind === 'closed';
}
