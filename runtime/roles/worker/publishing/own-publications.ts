import type { Clock } from '../../../clock.ts';
import type {
  BatchEnd,
  EventPublications,
  OpenBatch,
  Publications,
} from '../../../domain-kit/publications.ts';
import { UnpublishedRanges } from './unpublished-ranges.ts';
import type { EventSource } from './watermark.ts';

/** One worker's account of what it has stored and not published. Its work is per batch, never per event. */
export class OwnPublications implements Publications {
  readonly ranges = new UnpublishedRanges();
  readonly #clock: Clock;
  readonly #ensureWatermark: () => Promise<void>;
  readonly #sources: EventSource[] = [];
  /** In the order of their times. */
  readonly #open = new Set<OpenBatch>();
  #latest = 0;
  #changes = 0;

  /** `ensureWatermark` resolves while a watermark is stored from which others would find what this worker leaves. */
  constructor(clock: Clock, ensureWatermark: () => Promise<void>) {
    this.#clock = clock;
    this.#ensureWatermark = ensureWatermark;
  }

  /** What event writers have declared. */
  get sources(): readonly EventSource[] {
    return this.#sources;
  }

  /** Grows with everything that can move the watermark, but for the time. */
  get changes(): number {
    return this.#changes + this.ranges.changes;
  }

  /** Whether everything of this worker is published. */
  get isComplete(): boolean {
    return this.#open.size === 0 && this.ranges.low === undefined;
  }

  of(operation: string, collection: string): EventPublications {
    if (this.#sources.some((source) => source.collection === collection)) {
      throw new Error(`${operation} needs a collection of its own: ${collection} is taken`);
    }
    const source = { operation, collection };
    this.#sources.push(source);
    return {
      begin: async () => {
        await this.#ensureWatermark();
        return this.#begin(source);
      },
    };
  }

  /** Everything of this worker with a time below it is published, in ms since the epoch. */
  low(): number {
    const [oldest] = this.#open;
    return Math.min(oldest?.at ?? this.#now(), this.ranges.low ?? Infinity);
  }

  #begin(source: EventSource): OpenBatch {
    const batch: OpenBatch = { at: this.#now(), end: (end) => this.#end(source, batch, end) };
    this.#open.add(batch);
    this.#changes += 1;
    return batch;
  }

  #end(source: EventSource, batch: OpenBatch, end: BatchEnd): void {
    if (!this.#open.delete(batch)) return;
    this.#changes += 1;
    if (end !== 'published') this.ranges.add(source, batch.at, end === 'unknown');
  }

  /** The wall clock, but never back: a watermark that is stored stays true for the batches after it. */
  #now(): number {
    this.#latest = Math.max(this.#latest, this.#clock.now());
    return this.#latest;
  }
}
