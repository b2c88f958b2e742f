import type { Cache, CacheGuard, CacheWrite, ScoredMember, ScoredPage } from '../../runtime/ports/cache.ts';
import { fakeOf } from './fakes.ts';

const MARK = '\0mark';

type SortedSet = Map<string, number>;

/** A cache of sorted sets in memory, which a test can flush and look into. */
export class FakeCache {
  readonly sets = new Map<string, SortedSet>();
  readonly port: Cache;
  /** Called before each `apply`, so that a test can put something in between. */
  beforeApply: (writes: readonly CacheWrite[]) => void | Promise<void> = () => {};
  applies = 0;

  constructor() {
    this.port = fakeOf<Cache>({
      apply: async (writes, guards) => {
        await this.beforeApply(writes);
        return this.#apply(writes, guards ?? []);
      },
      page: (key, { limit, after }) => Promise.resolve(this.#page(key, limit, after)),
    });
  }

  /** Loses everything. */
  flush(): void {
    this.sets.clear();
  }

  /** The members of a set that a reader may see, whether or not it is complete. */
  members(key: string): readonly string[] {
    return this.#visible(key).map(({ member }) => member);
  }

  #apply(writes: readonly CacheWrite[], guards: readonly CacheGuard[]): boolean {
    this.applies += 1;
    if (!guards.every((guard) => this.#holds(guard))) return false;
    for (const write of writes) this.#write(write);
    return true;
  }

  #holds(guard: CacheGuard): boolean {
    if (guard.kind !== 'member') throw new Error(`the fake has no guard ${guard.kind}`);
    return this.sets.get(guard.key)?.has(guard.member) === true;
  }

  #write(write: CacheWrite): void {
    switch (write.op) {
      case 'addScored':
        this.#add(write.key, write.members, write.keep);
        break;
      case 'removeScored':
        for (const member of write.members) this.sets.get(write.key)?.delete(member);
        break;
      case 'mark':
        this.#add(write.key, [{ member: MARK, score: 0 }], 'last');
        break;
      case 'expire':
        // Time to live is the adapter's to test; here sets go by `flush`.
        break;
      default:
        throw new Error(`the fake has no write ${write.op}`);
    }
  }

  #add(key: string, members: readonly ScoredMember[], keep: 'lowest' | 'last'): void {
    const set = this.sets.get(key) ?? new Map<string, number>();
    for (const { member, score } of members) {
      const before = set.get(member);
      set.set(member, before === undefined || keep === 'last' ? score : Math.min(before, score));
    }
    this.sets.set(key, set);
  }

  #page(key: string, limit: number, after: ScoredMember | undefined): ScoredPage {
    const behind = (one: ScoredMember): boolean =>
      after === undefined ||
      one.score < after.score ||
      (one.score === after.score && one.member < after.member);
    const complete = this.sets.get(key)?.has(MARK) === true;
    return { complete, members: this.#visible(key).filter(behind).slice(0, limit) };
  }

  #visible(key: string): readonly ScoredMember[] {
    return [...(this.sets.get(key) ?? [])]
      .filter(([member]) => !member.startsWith('\0'))
      .map(([member, score]) => ({ member, score }))
      .sort((a, b) => b.score - a.score || (a.member < b.member ? 1 : -1));
  }
}
