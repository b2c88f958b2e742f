/** Where an outbox writes: returns false when the stream wants no more until `drained` is called. */
export type BatchWriter<T> = (batch: readonly T[]) => boolean;

export interface OutboxOptions<T> {
  readonly write: BatchWriter<T>;
  readonly maxItems: number;
  readonly maxBytes: number;
  /**
   * When what was pushed leaves: at the end of this turn of the event loop, for items that come from many
   * callbacks (requests), or right after this callback, for items that come from one (replies to a batch).
   */
  readonly flush: 'turn' | 'callback';
}

interface Entry<T> {
  readonly item: T;
  readonly bytes: number;
}

/**
 * Gathers what is pushed in one turn of the event loop (or in one callback) and writes it as one batch, or as
 * several where a batch would grow beyond its bounds. While the stream is full it keeps gathering; the sender's window bounds it.
 */
export class Outbox<T> {
  readonly #options: OutboxOptions<T>;
  #entries: Entry<T>[] = [];
  #scheduled = false;
  #blocked = false;
  #closed = false;

  constructor(options: OutboxOptions<T>) {
    this.#options = options;
  }

  /** Adds an item of this many bytes; it leaves at the end of this turn, or when the stream drains. */
  push(item: T, bytes: number): void {
    if (this.#closed) return;
    this.#entries.push({ item, bytes });
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    const flush = (): void => {
      this.#scheduled = false;
      this.flush();
    };
    if (this.#options.flush === 'turn') setImmediate(flush);
    else queueMicrotask(flush);
  }

  /** The stream takes data again. */
  drained(): void {
    this.#blocked = false;
    this.flush();
  }

  /** Writes what has gathered, as far as the stream takes it. */
  flush(): void {
    const entries = this.#entries;
    let start = 0;
    while (start < entries.length && !this.#blocked && !this.#closed) {
      const end = this.#batchEnd(entries, start);
      this.#blocked = !this.#options.write(entries.slice(start, end).map((entry) => entry.item));
      start = end;
    }
    this.#entries = start === entries.length ? [] : entries.slice(start);
  }

  /** Drops what is left; later items are dropped too. */
  close(): void {
    this.#closed = true;
    this.#entries = [];
  }

  #batchEnd(entries: readonly Entry<T>[], start: number): number {
    let bytes = 0;
    let end = start;
    for (const entry of entries.slice(start, start + this.#options.maxItems)) {
      bytes += entry.bytes;
      if (end > start && bytes > this.#options.maxBytes) break;
      end += 1;
    }
    return end;
  }
}
