import { randomBytes } from 'node:crypto';
import type { MemberSet } from './member-set.ts';
import type { SortedSet } from './sorted-set.ts';

/** What a key holds. Reserved members (leading U+0000) stand apart from the others, so that reads leave them out. */
export type CacheValue =
  | { readonly kind: 'set'; readonly members: MemberSet; readonly reserved: Set<string>; mark: Mark }
  | {
      readonly kind: 'sorted';
      readonly members: SortedSet;
      readonly reserved: Map<string, number>;
      mark: Mark;
    }
  | { readonly kind: 'hash'; readonly fields: Map<string, string> };

/** Id of the server that marked the content as complete. */
type Mark = string | undefined;

type ValueOf<Kind extends CacheValue['kind']> = Extract<CacheValue, { kind: Kind }>;

interface Entry {
  readonly value: CacheValue;
  /** In ms, by the clock of the data; undefined: never. */
  expiresAt: number | undefined;
}

/** Expired keys that nobody reads are looked for, this many with each write. */
const SWEEP = 16;

/** The data of an embedded cache, as a server would hold it: keys, leases and channels. Several ports may share it. */
export class CacheData {
  /** ms since the epoch. */
  readonly now: () => number;
  readonly leases = new Map<string, { readonly token: string; expiresAt: number }>();
  readonly channels = new Map<string, Set<(message: string) => void>>();
  readonly #entries = new Map<string, Entry>();
  readonly #expiring = new Set<string>();
  #sweeping: Iterator<string> = [].values();
  #serverId = newServerId();

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  /** Marks bear it; another server has another one. */
  get serverId(): string {
    return this.#serverId;
  }

  /** Number of keys, expired ones included that have not been swept yet. */
  get size(): number {
    return this.#entries.size;
  }

  /** Loses everything, as an eviction or a restart without persistence would. */
  flush(): void {
    for (const entry of this.#entries.values()) free(entry);
    this.#entries.clear();
    this.#expiring.clear();
    this.leases.clear();
  }

  /** Becomes another server that holds a copy of the data, as after a failover. */
  failOver(): void {
    this.#serverId = newServerId();
  }

  /** What a key holds; undefined when it does not exist or has expired. */
  get(key: string): CacheValue | undefined {
    return this.#live(key)?.value;
  }

  /** What a key holds if it is of this kind. The kind has been checked (cache-writes.ts, cache.ts). */
  getAs<Kind extends CacheValue['kind']>(kind: Kind, key: string): ValueOf<Kind> | undefined {
    const value = this.get(key);
    return isOfKind(value, kind) ? value : undefined;
  }

  put(key: string, value: CacheValue): void {
    this.#entries.set(key, { value, expiresAt: undefined });
    this.#expiring.delete(key);
  }

  delete(key: string): void {
    free(this.#entries.get(key));
    this.#remove(key);
  }

  /** Moves a key with its time to live; false when there is none. */
  rename(key: string, to: string): boolean {
    const entry = this.#live(key);
    if (entry === undefined) return false;
    this.#remove(key);
    this.delete(to);
    this.#entries.set(to, entry);
    if (entry.expiresAt !== undefined) this.#expiring.add(to);
    return true;
  }

  /** Lets a key expire after so many ms, or never. */
  expire(key: string, ttlMs: number | undefined): void {
    const entry = this.#live(key);
    if (entry === undefined) return;
    entry.expiresAt = ttlMs === undefined ? undefined : this.now() + ttlMs;
    if (ttlMs === undefined) this.#expiring.delete(key);
    else this.#expiring.add(key);
  }

  /** Whether a key exists and has a time to live. */
  expires(key: string): boolean {
    return this.#live(key)?.expiresAt !== undefined;
  }

  /** Drops some of the keys that have expired. */
  sweep(): void {
    for (let looked = 0; looked < Math.min(SWEEP, this.#expiring.size); looked++) {
      const next = this.#sweeping.next();
      if (next.done === true) this.#sweeping = this.#expiring.values();
      else this.#live(next.value);
    }
  }

  #remove(key: string): void {
    this.#entries.delete(key);
    this.#expiring.delete(key);
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry?.expiresAt === undefined || entry.expiresAt > this.now()) return entry;
    this.delete(key);
    return undefined;
  }
}

/** A large set is not left to the garbage collector, which may not come for long. Nobody reads the entry any more. */
function free(entry: Entry | undefined): void {
  if (entry?.value.kind === 'set') entry.value.members.clear();
}

function newServerId(): string {
  return randomBytes(20).toString('hex');
}

function isOfKind<Kind extends CacheValue['kind']>(
  value: CacheValue | undefined,
  kind: Kind,
): value is ValueOf<Kind> {
  return value?.kind === kind;
}

/** Whether a member belongs to the adapter or is a nonce. */
export function isReserved(member: string): boolean {
  return member.startsWith('\0');
}
