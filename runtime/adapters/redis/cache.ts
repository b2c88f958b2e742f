import { randomUUID } from 'node:crypto';
import type {
  Cache,
  CacheGuard,
  CacheWrite,
  ClaimOptions,
  Lease,
  ScoredMember,
  ScoredPage,
  ScoredPageOptions,
  SetMembership,
  Unsubscribe,
} from '../../ports/cache.ts';
import { checkLimit } from '../argument-check.ts';
import type { ServiceObserver } from '../../ports/service-observer.ts';
import { applyArguments, isHidden } from './apply-script.ts';
import { Connection } from './connection.ts';
import { Failure } from './failure.ts';
import { Link } from './link.ts';
import { type Address, addressName, dialOptions, type RedisOptions, urlAddress } from './options.ts';
import { SCRIPTS } from './scripts.ts';
import { Sentinels } from './sentinels.ts';
import { Subscriptions } from './subscriptions.ts';

export type { RedisOptions } from './options.ts';

/** A key that `check` writes to and deletes. */
const CHECK_KEY = '@check';

/**
 * A cache on Redis: one server, or the master that Sentinels name. Every answer comes from the server of one
 * connection, and only marks of that server count (docs/decisions/0015-redis-marks-and-failover.md).
 */
export class RedisCache implements Cache {
  readonly #prefix: string;
  readonly #observer: ServiceObserver;
  readonly #sentinels: Sentinels | undefined;
  readonly #link: Link;
  /** Connected when there is a subscription. */
  readonly #subscriber: Link;
  readonly #subscriptions = new Subscriptions();

  constructor(options: RedisOptions) {
    const { server, keyPrefix, observer } = options;
    const dial = dialOptions(options);
    this.#prefix = keyPrefix;
    this.#observer = observer;
    let locate: () => Address | Promise<Address>;
    if ('url' in server) {
      const address = urlAddress(server.url);
      locate = () => address;
    } else {
      const sentinels = new Sentinels({ ...server, dial, onVerdict: (verdict) => this.#follow(verdict) });
      this.#sentinels = sentinels;
      locate = () => sentinels.locate();
    }
    const open = async (signal: AbortSignal): Promise<Connection> =>
      Connection.open(await locate(), dial, signal);
    const where = { server: 'Redis', settings: dial.settings };
    this.#link = new Link({ open, observer, where });
    const openSubscriber = async (signal: AbortSignal): Promise<Connection> =>
      this.#subscriptions.restore(await open(signal));
    this.#subscriber = new Link({ open: openSubscriber, observer, where });
  }

  async apply(writes: readonly CacheWrite[], guards: readonly CacheGuard[] = []): Promise<boolean> {
    this.#link.checkOpen('cache.apply');
    if (writes.length === 0 && guards.length === 0) return true;
    return this.#use('apply', async (connection) => {
      this.#observer.sent('apply', writes.length);
      const naming = { key: (key: string) => this.#key(key), mark: connection.mark };
      const { keys, args } = applyArguments(writes, guards, naming);
      return (await connection.script(SCRIPTS.apply, keys, args)) === 1;
    });
  }

  async addCounting(key: string, members: readonly string[], ttlMs: number): Promise<number> {
    return this.#use('addCounting', async (connection) =>
      Number(await connection.script(SCRIPTS.addCounting, [this.#key(key)], [Math.ceil(ttlMs), ...members])),
    );
  }

  async contains(key: string, members: readonly string[]): Promise<SetMembership> {
    return this.#use('contains', async (connection) => {
      this.#observer.sent('contains', members.length);
      const asked = [connection.mark, ...members];
      const [mark, ...held] = await connection.run((client) => client.smismember(this.#key(key), asked));
      return {
        complete: mark === 1,
        contains: members.map((member, index) => held[index] === 1 && !isHidden(member)),
      };
    });
  }

  async cardinality(key: string): Promise<number> {
    return this.#use('cardinality', async (connection) =>
      Number(await connection.script(SCRIPTS.cardinality, [this.#key(key)], [])),
    );
  }

  async page(key: string, { after, limit }: ScoredPageOptions): Promise<ScoredPage> {
    return this.#use('page', async (connection) => {
      checkLimit('cache.page', limit);
      const position = after === undefined ? [] : [after.member, after.score];
      const args = [connection.mark, limit, ...position];
      const [mark, ...listed] = (await connection.script(SCRIPTS.page, [this.#key(key)], args)) as [
        number,
        ...string[],
      ];
      return { complete: mark === 1, members: scoredMembers(listed) };
    });
  }

  async fields(key: string, fields: readonly string[]): Promise<readonly (string | undefined)[]> {
    this.#link.checkOpen('cache.fields');
    if (fields.length === 0) return [];
    const values = await this.#use('fields', (connection) =>
      connection.run((client) => client.hmget(this.#key(key), ...fields)),
    );
    return values.map((value) => value ?? undefined);
  }

  async claimDue(key: string, { now, leaseMs, limit }: ClaimOptions): Promise<readonly string[]> {
    return this.#use('claimDue', async (connection) => {
      checkLimit('cache.claimDue', limit);
      const args = [now, limit, now + leaseMs];
      return (await connection.script(SCRIPTS.claimDue, [this.#key(key)], args)) as string[];
    });
  }

  async acquireLease(name: string, owner: string, ttlMs: number): Promise<Lease | undefined> {
    const key = this.#key(`@lease/${name}`);
    // Not the owner alone: it may have taken the lease again, and this one is no longer it.
    const token = `${owner}/${randomUUID()}`;
    const taken = await this.#use('acquireLease', (connection) =>
      connection.run((client) => client.set(key, token, 'PX', Math.ceil(ttlMs), 'NX')),
    );
    if (taken === null) return undefined;
    return {
      renew: () =>
        this.#use('renew', async (connection) => {
          return (await connection.script(SCRIPTS.renewLease, [key], [token, Math.ceil(ttlMs)])) === 1;
        }),
      release: () =>
        this.#use('release', async (connection) => {
          await connection.script(SCRIPTS.releaseLease, [key], [token]);
        }),
    };
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#use('publish', (connection) =>
      connection.run((client) => client.publish(this.#key(channel), message)),
    );
  }

  async subscribe(channel: string, handler: (message: string) => void): Promise<Unsubscribe> {
    return this.#subscriptions.add(this.#subscriber, this.#key(channel), handler);
  }

  /** Looks at the server's settings, and does a little of what the platform does, so that a missing right shows. */
  async check(): Promise<void> {
    await this.#use('check', (connection) => connection.verify());
    await this.#use('check', async (connection) => {
      const key = this.#key(CHECK_KEY);
      const { keys, args } = applyArguments(
        [
          { op: 'add', key, members: ['written'] },
          { op: 'delete', key },
        ],
        [],
        { key: (name) => name, mark: connection.mark },
      );
      await connection.script(SCRIPTS.apply, keys, args);
      await connection.run((client) => client.publish(key, ''));
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#link.close(), this.#subscriber.close(), this.#sentinels?.close()]);
  }

  /** What the Sentinels say each second: connections to any other server are given up. */
  #follow(verdict: Address | Failure): void {
    for (const link of [this.#link, this.#subscriber]) {
      if (verdict instanceof Failure) link.drop(verdict);
      else if (link.server !== undefined && link.server !== addressName(verdict)) {
        link.drop(
          new Failure('unavailable', `the Sentinels name ${addressName(verdict)} in place of ${link.server}`),
        );
      }
    }
  }

  #use<T>(method: string, work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#link.use(`cache.${method}`, work);
  }

  #key(key: string): string {
    return this.#prefix + key;
  }
}

function scoredMembers(listed: readonly string[]): ScoredMember[] {
  const members: ScoredMember[] = [];
  for (let index = 0; index + 1 < listed.length; index += 2) {
    members.push({ member: listed[index] ?? '', score: Number(listed[index + 1]) });
  }
  return members;
}
