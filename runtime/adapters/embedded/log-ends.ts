import type { EmbeddedDatabase } from './database.ts';
import type { Advance } from './thread-protocol.ts';

/** Follows the ends of partitions, so that consumers wait for new records without polling. */
export class LogEnds {
  readonly #ends = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(database: EmbeddedDatabase) {
    database.onAdvance((advances) => {
      for (const advance of advances) this.#advance(advance);
    });
  }

  /** Resolves when the partition reaches beyond an offset (at once if it is known to), or the signal aborts. */
  beyond(topicId: number, partition: number, offset: number, signal: AbortSignal): Promise<void> {
    const key = keyOf(topicId, partition);
    return new Promise((resolve) => {
      if (signal.aborted || (this.#ends.get(key) ?? 0) > offset) {
        resolve();
        return;
      }
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const wake = (): void => {
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #advance({ topicId, partition, end }: Advance): void {
    const key = keyOf(topicId, partition);
    this.#ends.set(key, end);
    for (const wake of this.#waiting.get(key) ?? []) wake();
  }
}

function keyOf(topicId: number, partition: number): string {
  return `${topicId}.${partition}`;
}
