import type { EventSource } from './watermark.ts';

/** A place among the events of one source, in order of time and id. */
export interface EventPosition {
  readonly at: number;
  readonly id: string;
}

/** Times between which this worker has stored events that the log may lack. */
export interface UnpublishedRange {
  readonly source: EventSource;
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
  /** An insert was given up and may land later: one more look is needed after a while. */
  readonly unsure: boolean;
  /** When to look, on the monotonic clock, in ms; 0: at once. */
  readonly due: number;
  /** How far it is published already. */
  readonly reached: EventPosition | undefined;
}

/** The unpublished ranges of one worker. A source has one that is due at once, however much fails meanwhile. */
export class UnpublishedRanges {
  #ranges: UnpublishedRange[] = [];
  #changes = 0;

  /** Grows whenever `low` may have changed. */
  get changes(): number {
    return this.#changes;
  }

  /** The earliest time in any of them; undefined when there is none. */
  get low(): number | undefined {
    if (this.#ranges.length === 0) return undefined;
    return this.#ranges.reduce((low, { from }) => Math.min(low, from), Infinity);
  }

  /** Adds events with this time. */
  add(source: EventSource, at: number, unsure: boolean): void {
    const open = this.#ranges.find(
      (range) => range.source === source && range.due === 0 && range.reached === undefined,
    );
    this.#changes += 1;
    if (open === undefined) {
      this.#ranges.push({ source, from: at, to: at, unsure, due: 0, reached: undefined });
    } else {
      const from = Math.min(open.from, at);
      this.replace(open, { ...open, from, to: Math.max(open.to, at), unsure: open.unsure || unsure });
    }
  }

  /** Those that are due by this time. */
  due(now: number): readonly UnpublishedRange[] {
    return this.#ranges.filter(({ due }) => due <= now);
  }

  /** Puts what is known now in place of what was known of a range; undefined: it is published. */
  replace(range: UnpublishedRange, by: UnpublishedRange | undefined): void {
    this.#changes += 1;
    this.#ranges = this.#ranges.flatMap((each) => (each === range ? (by ?? []) : each));
  }
}
