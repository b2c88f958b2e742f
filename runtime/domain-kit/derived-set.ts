import { randomUUID } from 'node:crypto';
import type { Cache, CacheWrite, ScoredMember, ScoredPage, ScoredPageOptions } from '../ports/cache.ts';
import { PortError } from '../ports/port-error.ts';

export interface DerivedSetOptions {
  readonly cache: Cache;
  /** First part of the cache keys. */
  readonly name: string;
  /** Time after which a set is dropped and rebuilt, in ms; up to a tenth is added at random. */
  readonly ttlMs: number;
  /** All members of one set, from the document store, in pages. */
  readonly source: (of: string) => AsyncIterable<readonly ScoredMember[]>;
}

const MAX_REBUILDS = 5;

/**
 * Names derived from stored events (with whom a client has dealt, say), kept in the cache for fast access and
 * rebuilt from the document store when the cache has lost them. The score of a name is the time at which it
 * first occurred; only ever lowered, so that writes, resends and rebuilds may come in any order.
 *
 * A rebuild is a union: it puts a nonce into the set, adds what the store holds, and marks the set complete
 * only if the nonce is still there; a loss in between removes it, and the rebuild starts over. Writes that
 * race with it add their members to the same set, so nothing is missed.
 */
export class DerivedSet {
  readonly #options: DerivedSetOptions;
  readonly #rebuilding = new Map<string, Promise<void>>();

  constructor(options: DerivedSetOptions) {
    this.#options = options;
  }

  /** The cache writes for names that an event adds. */
  additions(of: string, members: readonly ScoredMember[]): readonly CacheWrite[] {
    const key = this.#key(of);
    return [
      { op: 'addScored', key, members, keep: 'lowest' },
      { op: 'expire', key, ttlMs: this.#ttlMs(), ifNone: true },
    ];
  }

  /**
   * One page, newest name first. Rejects with a PortError when the cache or the store is away, or when the
   * cache keeps losing the set while it is rebuilt.
   */
  async page(of: string, options: ScoredPageOptions): Promise<ScoredPage> {
    for (let rebuilds = 0; ; rebuilds += 1) {
      const page = await this.#options.cache.page(this.#key(of), options);
      if (page.complete) return page;
      if (rebuilds === MAX_REBUILDS) {
        throw new PortError('unavailable', 'derived-set.page', 'the cache loses the set while it is rebuilt');
      }
      await this.#rebuildOnce(of);
    }
  }

  async #rebuildOnce(of: string): Promise<void> {
    const running = this.#rebuilding.get(of);
    if (running !== undefined) return running;
    const rebuild = this.#rebuild(of).finally(() => this.#rebuilding.delete(of));
    this.#rebuilding.set(of, rebuild);
    return rebuild;
  }

  async #rebuild(of: string): Promise<void> {
    const { cache, source } = this.#options;
    const key = this.#key(of);
    const nonce = `\0nonce:${randomUUID()}`;
    await cache.apply([
      { op: 'addScored', key, members: [{ member: nonce, score: 0 }], keep: 'last' },
      { op: 'expire', key, ttlMs: this.#ttlMs() },
    ]);
    for await (const members of source(of)) {
      if (members.length > 0) await cache.apply([{ op: 'addScored', key, members, keep: 'lowest' }]);
    }
    await cache.apply(
      [
        { op: 'removeScored', key, members: [nonce] },
        { op: 'mark', key, scored: true },
      ],
      [{ kind: 'member', key, member: nonce, scored: true }],
    );
  }

  #key(of: string): string {
    return `${this.#options.name}:${of}`;
  }

  #ttlMs(): number {
    return Math.round(this.#options.ttlMs * (1 + Math.random() / 10));
  }
}
