import { Batch } from '../../archive/batch.ts';
import type { CancelTimer } from '../../clock.ts';
import type { LogRecord, RecordBatch } from '../../ports/event-log.ts';
import { ChainWriter, type ChainWriterOptions } from './chain-writer.ts';
import { Commits } from './commits.ts';

/** When a batch becomes an object. */
export interface BatchLimits {
  readonly batchSize: number;
  readonly maxBytes: number;
  /** Since its first record came, in ms. */
  readonly maxAgeMs: number;
}

export interface PartitionArchiverOptions extends Omit<ChainWriterOptions, 'signal'> {
  /** Where the chain ends: the first offset to archive. */
  readonly from: bigint;
  readonly limits: BatchLimits;
}

/**
 * Archives one partition from its assignment until it is taken away. It holds one batch that is being stored and
 * one that gathers, and no more: whoever brings records waits.
 */
export class PartitionArchiver {
  readonly #options: PartitionArchiverOptions;
  readonly #ended = new AbortController();
  readonly #writer: ChainWriter;
  readonly #commits: Commits;
  #gathering: Batch;
  /** It has waited long enough. */
  #isAged = false;
  /** A record did not go into it any more. */
  #isFull = false;
  #isDraining = false;
  #cancelAge: CancelTimer = () => {};
  #room = Promise.withResolvers<undefined>();
  #storing: Promise<void> | undefined;
  #reached: bigint;
  #signal: AbortSignal | undefined;

  constructor(options: PartitionArchiverOptions) {
    this.#options = options;
    this.#writer = new ChainWriter({ ...options, signal: this.#ended.signal });
    this.#commits = new Commits(options.logger);
    this.#gathering = new Batch(options.from);
    this.#reached = options.from;
  }

  /** Everything before this offset is archived. */
  get reached(): bigint {
    return this.#reached;
  }

  /** Why it cannot go on now; undefined when it can. */
  get trouble(): string | undefined {
    return this.#writer.trouble;
  }

  /** Takes records, each of them once, however often they are delivered. Resolves when all have found room. */
  async add(batch: RecordBatch): Promise<void> {
    this.#follow(batch);
    for (const record of batch.records) {
      if (!this.#takes(record)) await this.#roomFor(record);
      if (this.#ended.signal.aborted) return;
      // Delivered before, or archived by somebody else meanwhile.
      if (record.offset >= this.#gathering.next) this.#gather(record);
    }
    this.#storeIfDue();
  }

  /** Archives what it holds and takes no more; resolves when that is done, or when it was abandoned. */
  async flush(): Promise<void> {
    this.#isDraining = true;
    this.#storeIfDue();
    await this.#storing;
    await this.#commits.settled();
  }

  /** Drops what it holds: it has not been committed, so that it is delivered again to whoever comes next. */
  abandon(): void {
    this.#ended.abort();
    this.#renew(new Batch(this.#gathering.next));
  }

  #follow(batch: RecordBatch): void {
    if (this.#ended.signal.aborted && !batch.signal.aborted) throw new Error('the partition was given up');
    this.#commits.use(batch);
    if (batch.signal === this.#signal) return;
    this.#signal = batch.signal;
    if (batch.signal.aborted) this.abandon();
    else batch.signal.addEventListener('abort', () => this.abandon(), { once: true });
  }

  #takes(record: LogRecord): boolean {
    const { batchSize, maxBytes } = this.#options.limits;
    const { count, bytes } = this.#gathering;
    const fits = count === 0 || (count < batchSize && bytes + sizeOf(record) <= maxBytes);
    return fits && !this.#isDraining;
  }

  async #roomFor(record: LogRecord): Promise<void> {
    while (!this.#ended.signal.aborted && !this.#takes(record)) {
      // Taken before it is resolved: storing makes room at once if it can.
      const { promise } = this.#room;
      this.#isFull = true;
      this.#storeIfDue();
      await promise;
    }
  }

  #gather(record: LogRecord): void {
    const { clock, limits } = this.#options;
    if (this.#gathering.count === 0) {
      this.#cancelAge = clock.after(limits.maxAgeMs, () => {
        this.#isAged = true;
        this.#storeIfDue();
      });
    }
    this.#gathering.add(record);
  }

  #isDue(): boolean {
    const { count } = this.#gathering;
    if (count === 0 || this.#ended.signal.aborted) return false;
    return this.#isFull || this.#isAged || this.#isDraining || count >= this.#options.limits.batchSize;
  }

  #storeIfDue(): void {
    if (this.#storing === undefined && this.#isDue()) this.#storing = this.#store();
  }

  /** Never rejects: what fails is tried again. */
  async #store(): Promise<void> {
    while (this.#isDue()) {
      const batch = this.#gathering;
      this.#renew(new Batch(batch.next));
      const reached = await this.#writer.store(batch);
      if (reached !== undefined) this.#advance(reached);
    }
    this.#storing = undefined;
  }

  #advance(reached: bigint): void {
    this.#reached = reached;
    this.#commits.to(reached);
    // Another archiver has gone further: what gathers here begins behind it.
    if (reached > this.#gathering.from) this.#renew(this.#gathering.behind(reached));
  }

  /** Puts a batch in the place of the one that gathers, and tells who waits for room. */
  #renew(batch: Batch): void {
    this.#gathering = batch;
    this.#isFull = false;
    if (batch.count === 0) {
      this.#isAged = false;
      this.#cancelAge();
    }
    this.#room.resolve(undefined);
    this.#room = Promise.withResolvers<undefined>();
  }
}

/** Bytes of a record, its frame in the archive aside. */
function sizeOf({ key, value }: LogRecord): number {
  return (key?.length ?? 0) + (value?.byteLength ?? 0);
}
