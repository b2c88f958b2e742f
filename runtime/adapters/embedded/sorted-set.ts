import type { ScoredMember } from '../../ports/cache.ts';
import { compareUtf8 } from './utf8-order.ts';

/** With more changes than this between two reads, one pass over all is cheaper than moving the rest for each one. */
const FEW_CHANGES = 256;

/** Members with scores, in order of score and then of UTF-8 bytes. Changes are put in order by the next read. */
export class SortedSet {
  readonly #members = new Map<string, ScoredMember>();
  #order: ScoredMember[] = [];
  #added: ScoredMember[] = [];
  #removed: ScoredMember[] = [];

  get size(): number {
    return this.#members.size;
  }

  has(member: string): boolean {
    return this.#members.has(member);
  }

  /** Adds a member; where it exists, its score is replaced, with `lowest` only by a lower one. */
  add({ member, score }: ScoredMember, keep: 'lowest' | 'last'): void {
    const existing = this.#members.get(member);
    if (existing !== undefined) {
      if (existing.score === score || (keep === 'lowest' && existing.score < score)) return;
      this.#removed.push(existing);
    }
    const entry = { member, score };
    this.#members.set(member, entry);
    this.#added.push(entry);
  }

  remove(member: string): void {
    const existing = this.#members.get(member);
    if (existing === undefined) return;
    this.#members.delete(member);
    this.#removed.push(existing);
  }

  /** Highest first, behind a position if one is given. */
  page(after: ScoredMember | undefined, limit: number): ScoredMember[] {
    this.#settle();
    const end = after === undefined ? this.#order.length : this.#place(after);
    return this.#order.slice(Math.max(end - limit, 0), end).reverse();
  }

  /** Lowest first, up to a score. */
  lowest(highestScore: number, limit: number): ScoredMember[] {
    this.#settle();
    const lowest = this.#order.slice(0, limit);
    const end = lowest.findIndex(({ score }) => score > highestScore);
    return end < 0 ? lowest : lowest.slice(0, end);
  }

  #settle(): void {
    if (this.#added.length + this.#removed.length > FEW_CHANGES) {
      this.#merge();
    } else {
      // An entry that was added and removed since is in both lists, so additions come first.
      for (const entry of this.#added) this.#order.splice(this.#place(entry), 0, entry);
      for (const entry of this.#removed) this.#order.splice(this.#placeOf(entry), 1);
    }
    this.#added = [];
    this.#removed = [];
  }

  /** Sorts what was added only: a large set is not sorted anew for some dozens of changes. */
  #merge(): void {
    const removed = new Set(this.#removed);
    const added = this.#added.filter((entry) => !removed.has(entry)).sort(compare);
    const order: ScoredMember[] = [];
    let from = 0;
    for (const entry of this.#order) {
      if (removed.has(entry)) continue;
      for (let next = added[from]; next !== undefined && compare(next, entry) < 0; next = added[from]) {
        order.push(next);
        from += 1;
      }
      order.push(entry);
    }
    this.#order = order.concat(added.slice(from));
  }

  /** Place of the first entry that is not before this one. */
  #place(entry: ScoredMember): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.#order[middle];
      if (found !== undefined && compare(found, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Place of just this entry: one that was removed and added again stands beside its equal. */
  #placeOf(entry: ScoredMember): number {
    return this.#order.indexOf(entry, this.#place(entry));
  }
}

function compare(one: ScoredMember, other: ScoredMember): number {
  return one.score - other.score || compareUtf8(one.member, other.member);
}
