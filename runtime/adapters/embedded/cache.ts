import { randomUUID } from 'node:crypto';
import type {
  Cache,
  CacheGuard,
  CacheWrite,
  ClaimOptions,
  Lease,
  ScoredPage,
  ScoredPageOptions,
  SetMembership,
  Unsubscribe,
} from '../../ports/cache.ts';
import { PortError } from '../../ports/port-error.ts';
import { checkLimit } from '../argument-check.ts';
import type { CacheData, CacheValue } from './cache-data.ts';
import { cardinalityOf, checkWrites, holds, write } from './cache-writes.ts';

/** A cache in the process. Several may share their data, as several connections to one server do. */
export class EmbeddedCache implements Cache {
  readonly #data: CacheData;
  readonly #subscriptions = new Set<() => void>();
  #closed = false;

  constructor(data: CacheData) {
    this.#data = data;
  }

  // The methods are async so that a refusal is a rejection; each does its work in one turn, hence atomically.
  /* eslint-disable @typescript-eslint/require-await */

  async apply(writes: readonly CacheWrite[], guards: readonly CacheGuard[] = []): Promise<boolean> {
    this.#call('apply');
    if (!guards.every((guard) => holds(this.#data, guard))) return false;
    this.#write(writes);
    return true;
  }

  async addCounting(key: string, members: readonly string[], ttlMs: number): Promise<number> {
    this.#call('addCounting');
    const before = cardinalityOf(this.#data.get(key));
    this.#write([
      { op: 'add', key, members },
      { op: 'expire', key, ttlMs },
    ]);
    return cardinalityOf(this.#data.get(key)) - before;
  }

  async contains(key: string, members: readonly string[]): Promise<SetMembership> {
    const value = this.#valueAs('set', key, this.#call('contains'));
    return {
      complete: this.#isComplete(value),
      contains: members.map((member) => value?.members.has(member) ?? false),
    };
  }

  async cardinality(key: string): Promise<number> {
    this.#call('cardinality');
    return cardinalityOf(this.#data.get(key));
  }

  async page(key: string, { after, limit }: ScoredPageOptions): Promise<ScoredPage> {
    const call = this.#call('page');
    checkLimit(call, limit);
    const value = this.#valueAs('sorted', key, call);
    return { complete: this.#isComplete(value), members: value?.members.page(after, limit) ?? [] };
  }

  async fields(key: string, fields: readonly string[]): Promise<readonly (string | undefined)[]> {
    const value = this.#valueAs('hash', key, this.#call('fields'));
    return fields.map((field) => value?.fields.get(field));
  }

  async claimDue(key: string, { now, leaseMs, limit }: ClaimOptions): Promise<readonly string[]> {
    const call = this.#call('claimDue');
    checkLimit(call, limit);
    const members = this.#valueAs('sorted', key, call)?.members;
    const due = members?.lowest(now, limit) ?? [];
    for (const { member } of due) members?.add({ member, score: now + leaseMs }, 'last');
    return due.map(({ member }) => member);
  }

  async acquireLease(name: string, owner: string, ttlMs: number): Promise<Lease | undefined> {
    this.#call('acquireLease');
    const { leases, now } = this.#data;
    const held = leases.get(name);
    if (held !== undefined && held.expiresAt > now()) return undefined;
    // Not the owner alone: it may have taken the lease again, and this one is no longer it.
    const token = `${owner}/${randomUUID()}`;
    leases.set(name, { token, expiresAt: now() + ttlMs });
    return this.#lease(name, token, ttlMs);
  }

  async publish(channel: string, message: string): Promise<void> {
    this.#call('publish');
    for (const deliver of this.#data.channels.get(channel) ?? []) deliver(message);
  }

  async subscribe(channel: string, handler: (message: string) => void): Promise<Unsubscribe> {
    this.#call('subscribe');
    const { channels } = this.#data;
    const subscribers = channels.get(channel) ?? new Set();
    channels.set(channel, subscribers);
    // Later, as over a network: a publisher never runs the handlers of others.
    const deliver = (message: string): void => {
      setImmediate(() => {
        if (subscribers.has(deliver)) handler(message);
      });
    };
    const end = (): void => {
      subscribers.delete(deliver);
      this.#subscriptions.delete(end);
    };
    subscribers.add(deliver);
    this.#subscriptions.add(end);
    return async () => end();
  }

  async check(): Promise<void> {
    this.#call('check');
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const end of this.#subscriptions) end();
  }

  #write(writes: readonly CacheWrite[]): void {
    checkWrites(this.#data, writes);
    for (const change of writes) write(this.#data, change);
    this.#data.sweep();
  }

  #lease(name: string, token: string, ttlMs: number): Lease {
    const { leases, now } = this.#data;
    const held = (): { expiresAt: number } | undefined => {
      const lease = leases.get(name);
      return lease?.token === token && lease.expiresAt > now() ? lease : undefined;
    };
    return {
      renew: async () => {
        this.#call('renew');
        const lease = held();
        if (lease === undefined) return false;
        lease.expiresAt = now() + ttlMs;
        return true;
      },
      release: async () => {
        this.#call('release');
        if (held() !== undefined) leases.delete(name);
      },
    };
  }

  /* eslint-enable @typescript-eslint/require-await */

  #valueAs<Kind extends CacheValue['kind']>(
    kind: Kind,
    key: string,
    call: string,
  ): Extract<CacheValue, { kind: Kind }> | undefined {
    const found = this.#data.get(key)?.kind;
    if (found !== undefined && found !== kind) {
      throw new PortError('invalid', call, `key ${key} holds a ${found}, not a ${kind}`);
    }
    return this.#data.getAs(kind, key);
  }

  #isComplete(value: { readonly mark: string | undefined } | undefined): boolean {
    return value?.mark === this.#data.serverId;
  }

  #call(method: string): string {
    const call = `cache.${method}`;
    if (this.#closed) throw new PortError('closed', call, 'the cache has been closed');
    return call;
  }
}
