import { Backoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import type { Logger } from './logging.ts';
import { PortError } from './ports/port-error.ts';

/** The stores that a role may have to wait for, by what the roles call them. */
export type StoreName = 'log' | 'documents' | 'cache' | 'objects';

/** What each of them is called where people read it: `the cache (Redis at redis.example:6379)`. */
export type StoreTitles = Readonly<Record<StoreName, string>>;

/** Titles of stores that have no address. */
export const STORE_TITLES: StoreTitles = {
  log: 'the event log',
  documents: 'the document store',
  cache: 'the cache',
  objects: 'the object store',
};

/** What a role must have reached to do all of its work. */
export interface StoreNeeds {
  readonly titles?: StoreTitles;
  /** Rejects while the store cannot be used. */
  readonly reach: Partial<Readonly<Record<StoreName, () => Promise<unknown>>>>;
}

/** Pauses between tries, in ms. */
export interface RetryPauses {
  readonly initialMs: number;
  readonly maxMs: number;
}

export interface ServiceWaitOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly titles?: StoreTitles | undefined;
  /** 200 to 2,000 ms when absent. */
  readonly pauses?: RetryPauses | undefined;
  /** Told each time a wait begins. */
  readonly onWaiting?: (() => void) | undefined;
}

const PAUSES: RetryPauses = { initialMs: 200, maxMs: 2_000 };

/**
 * What a role does at its start with services that may be away: it tries until they are there, and can say meanwhile
 * what it waits for.
 */
export class ServiceWait {
  readonly #options: ServiceWaitOptions;
  readonly #end = new AbortController();
  /** Why each wait that is under way goes on. */
  readonly #waiting = new Map<object, string>();

  constructor(options: ServiceWaitOptions) {
    this.#options = options;
  }

  /** Whether there is nobody left who waits. */
  get isOver(): boolean {
    return this.#end.signal.aborted;
  }

  /** What is waited for, and why, for people; undefined when nothing is. */
  get reason(): string | undefined {
    return this.isOver || this.#waiting.size === 0
      ? undefined
      : [...new Set(this.#waiting.values())].join('; ');
  }

  /**
   * Does the work again and again until it succeeds. Resolves to undefined when the wait is over before. Rejects with
   * what waiting does not mend: every error but a PortError `unavailable` or `timeout`.
   */
  async for<T>(store: StoreName, work: () => Promise<T>): Promise<T | undefined> {
    const wait = {};
    try {
      return await this.#until(work, (error) => this.#say(wait, store, error));
    } finally {
      this.#waiting.delete(wait);
    }
  }

  /** Reaches for all stores at once; resolves and rejects like `for`. */
  async forAll(reach: StoreNeeds['reach']): Promise<void> {
    await Promise.all(Object.entries(reach).map(([store, work]) => this.for(store as StoreName, work)));
  }

  /** The role stops: nothing is tried any more. */
  end(): void {
    this.#end.abort();
  }

  async #until<T>(work: () => Promise<T>, onAway: (error: PortError) => void): Promise<T | undefined> {
    const { clock, pauses = PAUSES } = this.#options;
    const backoff = new Backoff(pauses.initialMs, pauses.maxMs);
    while (!this.isOver) {
      try {
        return await work();
      } catch (error) {
        if (!isAway(error)) throw error;
        onAway(error);
      }
      await pause(clock, backoff.next(), this.#end.signal);
    }
    return undefined;
  }

  #say(wait: object, store: StoreName, error: PortError): void {
    const { logger, titles = STORE_TITLES, onWaiting } = this.#options;
    const isNew = !this.#waiting.has(wait);
    this.#waiting.set(wait, `waits for ${titles[store]}: ${error.message}`);
    if (!isNew) return;
    logger.info({ reason: error.message }, `waits for ${titles[store]}`);
    onWaiting?.();
  }
}

function isAway(error: unknown): error is PortError {
  return error instanceof PortError && (error.kind === 'unavailable' || error.kind === 'timeout');
}
