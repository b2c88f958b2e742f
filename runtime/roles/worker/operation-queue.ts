import type { Clock } from '../../clock.ts';
import type { EncodedCall, ServedOperation } from '../../domain-kit/domain.ts';
import { failed, type Outcome } from '../../domain-kit/outcome.ts';
import { toWire } from '../../domain-kit/outcome-wire.ts';
import type { IncomingOperation } from '../../link/link-session.ts';
import { LogLimiter } from '../../log-limiter.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import { Admission, type Timed } from './admission.ts';

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
  readonly #limiter: LogLimiter;
  readonly #admission: Admission;
  #waiting: Waiting[] = [];
  /** Batches in work, and the operations in them. */
  #running = 0;
  #inWork = 0;
  #scheduled = false;

  constructor(options: OperationQueueOptions) {
    this.#options = options;
    const { name: operation } = options.served.operation;
    this.#limiter = new LogLimiter(options.clock);
    this.#queued = options.metrics.queued.labels({ operation });
    this.#admission = new Admission(
      options.maxWaiting + options.served.maxBatch * options.served.concurrency,
    );
  }

  /** Takes an operation. It is settled in any case: by its handler, or as full, expired or failed. */
  submit(operation: IncomingOperation): void {
    const { length } = this.#waiting;
    const waiting = { operation, arrivedAt: this.#options.clock.monotonic() };
    const hasRoom = length < this.#options.maxWaiting;
    if (!hasRoom || !this.#admission.admits(timesOf(waiting), length + this.#inWork)) {
      operation.settle(toWire(failed('FULL', 'the queue of the worker is full', false)));
      return;
    }
    this.#waiting.push(waiting);
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
    const [first] = this.#waiting;
    const limit = first === undefined ? 0 : this.#admission.batchLimit(timesOf(first));
    const maxBatch = Math.min(served.maxBatch, limit);
    let bytes = 0;
    let taken = 0;
    for (const waiting of this.#waiting) {
      const { operation } = waiting;
      bytes += operation.request.length;
      if (batch.length >= maxBatch || (batch.length > 0 && bytes > maxBatchBytes)) break;
      taken += 1;
      if (this.#admission.isHopeless(timesOf(waiting), now)) operation.settle(TOO_LATE);
      else if (operation.deadline > now) batch.push(waiting);
      else operation.settle(toWire(failed('EXPIRED', 'its time ran out while it waited', false)));
    }
    this.#waiting = this.#waiting.slice(taken);
    return batch;
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    const { clock, metrics, served } = this.#options;
    this.#running += 1;
    this.#inWork += batch.length;
    metrics.batchSize.observe(batch.length, served.operation.name);
    const startedAt = clock.monotonic();
    const lanes = this.#running;
    const wasDecided = await this.#handle(batch);
    if (wasDecided) {
      const operations = batch.map(timesOf);
      this.#admission.learn({ operations, startedAt, endedAt: clock.monotonic(), lanes });
    }
    this.#inWork -= batch.length;
    this.#running -= 1;
    // Not scheduled: what gathered meanwhile has waited long enough.
    this.#start();
  }

  /** Resolves to whether anything of the batch was decided. */
  async #handle(batch: readonly Waiting[]): Promise<boolean> {
    let outcomes: readonly Outcome<Uint8Array>[];
    try {
      outcomes = await this.#options.served.handle(batch.map(({ operation }) => toCall(operation)));
    } catch (error) {
      await this.#isolate(batch, error);
      return false;
    }
    batch.forEach((waiting, index) =>
      this.#settle(waiting, outcomes[index] ?? failed('INTERNAL', 'the handler gave no outcome', true)),
    );
    return outcomes.some(({ verdict }) => verdict !== 'FAILED');
  }

  /**
   * A batch whose handler threw is halved until the operation at fault is alone. The others are only handled once
   * more than they had to be: reads change nothing, and a write finds what its first try has stored.
   */
  async #isolate(batch: readonly Waiting[], error: unknown): Promise<void> {
    const [first] = batch;
    if (batch.length === 1 && first !== undefined) {
      this.#report(first, error);
      this.#settle(first, failed('INTERNAL', 'the handler failed', true));
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
      const now = this.#options.clock.monotonic();
      const inTime = half.filter(({ operation }) => operation.deadline > now);
      if (inTime.length > 0) await this.#handle(inTime);
      for (const waiting of half) {
        if (waiting.operation.deadline > now) continue;
        this.#settle(waiting, failed('EXPIRED', 'its time ran out while it was worked on', true));
      }
    }
  }

  #report({ operation: { eventId } }: Waiting, error: unknown): void {
    const operation = this.#options.served.operation.name;
    const heldBack = this.#limiter.admit(operation);
    if (heldBack === undefined) return;
    this.#options.logger.error({ err: error, operation, eventId, heldBack }, 'a handler failed');
  }

  #settle({ operation, arrivedAt }: Waiting, outcome: Outcome<Uint8Array>): void {
    const { clock, served, metrics } = this.#options;
    const seconds = (clock.monotonic() - arrivedAt) / 1000;
    metrics.workerOperations.observe(seconds, served.operation.name, outcome.verdict);
    operation.settle(toWire(outcome));
  }
}

/** Overload, not an outage: nothing was done, and nobody is to keep it. */
const TOO_LATE = toWire(failed('FULL', 'the worker is too busy to answer in time', false));

function timesOf({ operation: { deadline }, arrivedAt }: Waiting): Timed {
  return { arrivedAt, deadline };
}

function toCall({ request, eventId, bodyHash, discard }: IncomingOperation): EncodedCall {
  const hash =
    bodyHash.length === 0
      ? ''
      : Buffer.from(bodyHash.buffer, bodyHash.byteOffset, bodyHash.length).toString('base64url');
  return { request, eventId, bodyHash: hash, discard };
}
