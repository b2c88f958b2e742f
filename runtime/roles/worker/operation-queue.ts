import type { Clock } from '../../clock.ts';
import type { Call, ServedOperation } from '../../domain-kit/domain.ts';
import { failed, type Outcome } from '../../domain-kit/outcome.ts';
import { toWire } from '../../domain-kit/outcome-wire.ts';
import type { IncomingOperation } from '../../link/link-session.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';

export interface OperationQueueOptions {
  readonly served: ServedOperation;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'workerOperations' | 'batchSize' | 'queued'>;
  /** Operations that may wait. */
  readonly maxWaiting: number;
  /** Bytes of requests in one batch; a single larger one goes alone. */
  readonly maxBatchBytes: number;
}

interface Waiting {
  readonly operation: IncomingOperation;
  readonly arrivedAt: number;
}

/**
 * Group commit for one operation: while a batch is worked on, the next one gathers. There is no timer and
 * nothing to tune: an idle worker starts at once, a busy one makes larger batches.
 */
export class OperationQueue {
  readonly #options: OperationQueueOptions;
  readonly #queued;
  #waiting: Waiting[] = [];
  #running = 0;
  #scheduled = false;

  constructor(options: OperationQueueOptions) {
    this.#options = options;
    const { name: operation } = options.served.operation;
    this.#queued = options.metrics.queued.labels({ operation });
  }

  /** Takes an operation. It is settled in any case: by its handler, or as full, expired or failed. */
  submit(operation: IncomingOperation): void {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      operation.settle(toWire(failed('FULL', 'the queue of the worker is full', false)));
      return;
    }
    this.#waiting.push({ operation, arrivedAt: this.#options.clock.monotonic() });
    this.#schedule();
  }

  /** Starts right after this callback, so that all that came in one message goes into one batch. */
  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#options.served.concurrency) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  #start(): void {
    const { served } = this.#options;
    while (this.#waiting.length > 0 && this.#running < served.concurrency) {
      const batch = this.#takeBatch();
      if (batch.length > 0) void this.#run(batch);
    }
    this.#queued.set(this.#waiting.length);
  }

  #takeBatch(): readonly Waiting[] {
    const { served, maxBatchBytes, clock } = this.#options;
    const now = clock.monotonic();
    const batch: Waiting[] = [];
    let bytes = 0;
    let taken = 0;
    for (const waiting of this.#waiting) {
      const { operation } = waiting;
      bytes += operation.request.length;
      if (batch.length >= served.maxBatch || (batch.length > 0 && bytes > maxBatchBytes)) break;
      taken += 1;
      if (operation.deadline > now) batch.push(waiting);
      else operation.settle(toWire(failed('EXPIRED', 'its time ran out while it waited', false)));
    }
    this.#waiting = this.#waiting.slice(taken);
    return batch;
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    this.#running += 1;
    this.#options.metrics.batchSize.observe(batch.length, this.#options.served.operation.name);
    const outcomes = await this.#outcomes(batch);
    batch.forEach(({ operation, arrivedAt }, index) => {
      const outcome = outcomes[index] ?? failed('INTERNAL', 'the handler gave no outcome', true);
      this.#observe(outcome.verdict, arrivedAt);
      operation.settle(toWire(outcome));
    });
    this.#running -= 1;
    // Not scheduled: what gathered meanwhile has waited long enough.
    this.#start();
  }

  async #outcomes(batch: readonly Waiting[]): Promise<readonly Outcome<Uint8Array>[]> {
    const { served, logger } = this.#options;
    try {
      return await served.handle(batch.map(({ operation }) => toCall(operation)));
    } catch (error) {
      logger.error({ err: error, operation: served.operation.name, size: batch.length }, 'a handler failed');
      return batch.map(() => failed('INTERNAL', 'the handler failed', true));
    }
  }

  #observe(verdict: string, arrivedAt: number): void {
    const { clock, served, metrics } = this.#options;
    metrics.workerOperations.observe((clock.monotonic() - arrivedAt) / 1000, served.operation.name, verdict);
  }
}

function toCall({ request, eventId, bodyHash }: IncomingOperation): Call<Uint8Array> {
  const hash =
    bodyHash.length === 0
      ? ''
      : Buffer.from(bodyHash.buffer, bodyHash.byteOffset, bodyHash.length).toString('base64url');
  return { request, eventId, bodyHash: hash };
}
