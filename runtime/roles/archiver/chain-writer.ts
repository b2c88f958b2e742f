import type { Batch, PackedBatch } from '../../archive/batch.ts';
import { lastObject } from '../../archive/chain-end.ts';
import { toMetadata } from '../../archive/object-facts.ts';
import { type Chain, objectKey } from '../../archive/object-key.ts';
import { Backoff } from '../../backoff.ts';
import { type Clock, pause } from '../../clock.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { RetryPauses } from '../../service-wait.ts';
import { factsAt } from './resume.ts';

export interface ChainWriterOptions {
  readonly chain: Chain;
  readonly objects: ObjectStore;
  readonly bucket: string;
  readonly retry: RetryPauses;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<
    Metrics,
    'archivedRecords' | 'archivedObjects' | 'archivedBytes' | 'archiveUploadFailures' | 'archiveConflicts'
  >;
  /** Aborts when the partition is somebody else's: nothing is tried again then. */
  readonly signal: AbortSignal;
}

/** Appends batches to a chain, whoever else does so too: of two objects that begin alike the first one stands. */
export class ChainWriter {
  readonly #options: ChainWriterOptions;
  #trouble: string | undefined;

  constructor(options: ChainWriterOptions) {
    this.#options = options;
  }

  /** Why the last try failed; undefined when it did not. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /**
   * Stores what of a batch is not in the chain yet, however long it takes; one batch at a time. Resolves to the
   * offset that the chain reaches then, or to undefined when the signal aborted.
   */
  async store(batch: Batch): Promise<bigint | undefined> {
    let rest = batch;
    let reached = batch.from;
    while (rest.count > 0) {
      const appended = await this.#append(rest);
      if (appended === undefined) return undefined;
      reached = appended;
      rest = rest.behind(reached);
    }
    return reached;
  }

  async #append(batch: Batch): Promise<bigint | undefined> {
    const { clock, retry, signal } = this.#options;
    const backoff = new Backoff(retry.initialMs, retry.maxMs);
    const packing = batch.pack();
    while (!signal.aborted) {
      try {
        const reached = await this.#put(await packing);
        this.#succeeded();
        return reached;
      } catch (error) {
        this.#failed(error);
        await pause(clock, backoff.next(), signal);
      }
    }
    return undefined;
  }

  /** One try. Resolves to where the chain ends with this object, or with that of another archiver in its place. */
  async #put({ body, facts }: PackedBatch): Promise<bigint> {
    const { objects, bucket, chain, metrics } = this.#options;
    const key = objectKey(chain, facts.from);
    const { outcome } = await objects.put(bucket, key, body, { ifAbsent: true, metadata: toMetadata(facts) });
    const isOurs = outcome === 'stored' || (await this.#standsAt(facts));
    if (!isOurs) return this.#goOnBehindWinner(facts.next);
    metrics.archivedRecords.inc(facts.count);
    metrics.archivedObjects.inc();
    metrics.archivedBytes.inc(body.byteLength);
    return facts.next;
  }

  /** Whether it is this very object that stands there: an earlier try was stored, and its answer was lost. */
  async #standsAt({ from, content }: PackedBatch['facts']): Promise<boolean> {
    const { objects, bucket, chain } = this.#options;
    const there = await factsAt({ objects, bucket }, chain, from);
    return there.content?.sha256 === content?.sha256;
  }

  async #goOnBehindWinner(hint: bigint): Promise<bigint> {
    const { objects, bucket, chain, metrics, logger } = this.#options;
    const last = await lastObject({ objects, bucket }, chain, hint);
    if (last === undefined) throw new Error('the object that was in the way is gone');
    const { next } = await factsAt({ objects, bucket }, chain, last);
    metrics.archiveConflicts.inc();
    logger.info({ partition: chain.partition, next: next.toString() }, 'another archiver was faster');
    return next;
  }

  #failed(error: unknown): void {
    const { chain, logger, metrics, bucket } = this.#options;
    const isFirst = this.#trouble === undefined;
    this.#trouble = error instanceof Error ? error.message : String(error);
    metrics.archiveUploadFailures.inc();
    if (!isFirst) return;
    const place = { bucket, topic: chain.topic, partition: chain.partition };
    logger.warn({ err: error, ...place }, 'cannot archive; trying again');
  }

  #succeeded(): void {
    const { chain, logger } = this.#options;
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    logger.info({ topic: chain.topic, partition: chain.partition }, 'archives again');
  }
}
