/**
 * A cache shared by all roles: Redis, or its embedded twin. It may lose everything at any moment (eviction,
 * flush, failover), so it is never the only copy of what was acknowledged.
 *
 * **Marks.** A set or a sorted set may hold part of its content only. It is *complete* while it bears the mark
 * of the very server that answers: `mark` puts it there, and each read says whether it was seen together with
 * the content, atomically. A mark that was copied from another server (a failover) does not count.
 *
 * Members that begin with U+0000 belong to the adapter and to nonces: reads leave them out.
 */
export interface Cache {
  /**
   * Applies the writes in order, atomically, if every guard holds. Resolves to whether they were applied.
   * Without guards it always applies.
   */
  apply(writes: readonly CacheWrite[], guards?: readonly CacheGuard[]): Promise<boolean>;
  /**
   * Adds members, none of them reserved, to a set, gives it this time to live from now, and resolves to how many
   * of them it did not hold before, atomically: who adds them all by this call alone knows how large the set must
   * be. So an adapter never sends it twice: when it is not known whether the call took effect, it rejects.
   */
  addCounting(key: string, members: readonly string[], ttlMs: number): Promise<number>;
  /** Which of the members a set holds, in their order, and whether the set is complete. */
  contains(key: string, members: readonly string[]): Promise<SetMembership>;
  /** Number of members of a set or sorted set, the adapter's own and nonces left out. */
  cardinality(key: string): Promise<number>;
  /** One page of a sorted set, highest score first, ties by member in descending order of UTF-8 bytes. */
  page(key: string, options: ScoredPageOptions): Promise<ScoredPage>;
  /** Values of the fields of a hash, in their order; undefined where there is none. */
  fields(key: string, fields: readonly string[]): Promise<readonly (string | undefined)[]>;
  /**
   * Takes up to `limit` members of a sorted set whose score is at most `now`, lowest first, and sets their
   * score to `now + leaseMs`, atomically: until then no other caller gets them. Members that begin with U+0000
   * are never taken, keep their score and do not count against the limit.
   */
  claimDue(key: string, options: ClaimOptions): Promise<readonly string[]>;
  /** Takes a named lease if it is free or expired; undefined when another holds it. */
  acquireLease(name: string, owner: string, ttlMs: number): Promise<Lease | undefined>;
  /** Sends to those who are subscribed now; nothing is kept for later ones. */
  publish(channel: string, message: string): Promise<void>;
  /** Calls the handler for each message on the channel from now on. Resolves when the subscription stands. */
  subscribe(channel: string, handler: (message: string) => void): Promise<Unsubscribe>;
  /**
   * Reaches the server and looks whether it can be relied on. Rejects with `refused` when its settings would lose what
   * must not be lost unseen (an eviction policy that takes keys without a time to live, say).
   */
  check(): Promise<void>;
  /** Closes the connection. Calls after it reject with `closed`. */
  close(): Promise<void>;
}

/** Ends a subscription. */
export type Unsubscribe = () => Promise<void>;

/** One write. `ttlMs` always counts from now. */
export type CacheWrite =
  | { readonly op: 'add'; readonly key: string; readonly members: readonly string[] }
  | { readonly op: 'remove'; readonly key: string; readonly members: readonly string[] }
  /** Adds to a sorted set. `keep: 'lowest'`: an existing score is only ever lowered; `'last'`: it is replaced. */
  | {
      readonly op: 'addScored';
      readonly key: string;
      readonly members: readonly ScoredMember[];
      readonly keep: 'lowest' | 'last';
    }
  | { readonly op: 'removeScored'; readonly key: string; readonly members: readonly string[] }
  | { readonly op: 'setFields'; readonly key: string; readonly fields: Readonly<Record<string, string>> }
  | { readonly op: 'removeFields'; readonly key: string; readonly fields: readonly string[] }
  /** Puts the answering server's mark on a set (`scored: false`) or a sorted set (`scored: true`). */
  | { readonly op: 'mark'; readonly key: string; readonly scored: boolean }
  /** Moves a key onto another, which is replaced. A key that does not exist leaves both as they are. */
  | { readonly op: 'rename'; readonly key: string; readonly to: string }
  /** Sets the time to live of a key that exists; `ifNone`: only where the key has none yet. */
  | { readonly op: 'expire'; readonly key: string; readonly ttlMs: number; readonly ifNone?: boolean }
  | { readonly op: 'persist'; readonly key: string }
  | { readonly op: 'delete'; readonly key: string };

/** A condition of an `apply`. */
export type CacheGuard =
  /** The set (or sorted set) has just this many members, the adapter's own and nonces left out. */
  | { readonly kind: 'cardinality'; readonly key: string; readonly equals: number }
  /** The set, or sorted set where `scored`, holds the member (nonces included). */
  | { readonly kind: 'member'; readonly key: string; readonly member: string; readonly scored: boolean }
  /** The field of the hash has this value; undefined: it does not exist. */
  | {
      readonly kind: 'field';
      readonly key: string;
      readonly field: string;
      readonly equals: string | undefined;
    };

export interface ScoredMember {
  readonly member: string;
  /** An integer, at most 2^53 - 1. */
  readonly score: number;
}

/** Answer to `contains`. */
export interface SetMembership {
  readonly complete: boolean;
  readonly contains: readonly boolean[];
}

export interface ScoredPageOptions {
  /** Continue behind this position. */
  readonly after?: ScoredMember;
  /** At most this many members, 1 to 1,000. */
  readonly limit: number;
}

export interface ScoredPage {
  readonly complete: boolean;
  readonly members: readonly ScoredMember[];
}

export interface ClaimOptions {
  /** The caller's clock, in ms since the epoch. */
  readonly now: number;
  readonly leaseMs: number;
  readonly limit: number;
}

/** A lease that this owner holds until its time runs out. */
export interface Lease {
  /** Extends the lease by its full time; false when it was lost to another or ran out. */
  renew(): Promise<boolean>;
  /** Gives it back if it is still held. */
  release(): Promise<void>;
}
