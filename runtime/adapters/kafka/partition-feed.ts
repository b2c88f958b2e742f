import type { LogRecord } from '../../ports/event-log.ts';
import type { KafkaFailure } from './failure.ts';

/** Records of one partition that were fetched and not taken yet. */
export class PartitionFeed {
  readonly topic: string;
  readonly partition: number;
  /** Who leads the partition, as far as is known. */
  leader: number | undefined;
  readonly #onWanting: () => void;
  readonly #maxBuffered: number;
  #records: LogRecord[] = [];
  #taken = 0;
  #position: bigint;
  #failure: KafkaFailure | undefined;
  #closed = false;
  #notify: () => void = () => {};

  /** `onWanting`: told when there is room for more records again. `maxBuffered`: records. */
  constructor(
    at: { readonly topic: string; readonly partition: number; readonly from: bigint },
    maxBuffered: number,
    onWanting: () => void,
  ) {
    this.topic = at.topic;
    this.partition = at.partition;
    this.#position = at.from;
    this.#maxBuffered = maxBuffered;
    this.#onWanting = onWanting;
  }

  /** The offset to fetch next. */
  get position(): bigint {
    return this.#position;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether more records are of use now. */
  get isWanting(): boolean {
    return !this.#closed && this.#failure === undefined && this.#buffered < this.#maxBuffered;
  }

  /** Adds what was fetched from `from` on; passed over when that is not what comes next. */
  add(from: bigint, records: readonly LogRecord[], nextOffset: bigint): void {
    if (this.#closed || from !== this.#position) return;
    this.#position = nextOffset;
    if (records.length === 0) return;
    this.#records = [...this.#records.slice(this.#taken), ...records];
    this.#taken = 0;
    this.#notify();
  }

  /** No more can be fetched; who takes gets the failure. */
  fail(failure: KafkaFailure): void {
    this.#failure = failure;
    this.#notify();
  }

  /** Up to `max` records, at least one. Waits for them; empty when the signal aborts. Rejects when fetching failed. */
  async take(max: number, signal: AbortSignal): Promise<readonly LogRecord[]> {
    const isAborted = (): boolean => signal.aborted;
    while (this.#buffered === 0 && this.#failure === undefined && !isAborted()) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          this.#notify = () => {};
          resolve();
        };
        this.#notify = done;
        signal.addEventListener('abort', done);
      });
    }
    if (isAborted()) return [];
    if (this.#buffered === 0) this.#throwFailure();
    const records = this.#records.slice(this.#taken, this.#taken + max);
    const buffered = this.#buffered;
    this.#taken += records.length;
    if (this.#taken === this.#records.length) {
      this.#records = [];
      this.#taken = 0;
    }
    if (buffered >= this.#maxBuffered && this.isWanting) this.#onWanting();
    return records;
  }

  close(): void {
    this.#closed = true;
    this.#records = [];
    this.#taken = 0;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  get #buffered(): number {
    return this.#records.length - this.#taken;
  }
}
