import type { ServiceObserver } from '../../ports/service-observer.ts';
import type { KafkaConnection } from './connection.ts';
import type { Deadline } from './deadline.ts';
import { away, closed, KafkaFailure } from './failure.ts';
import { Health } from './health.ts';
import type { BrokerAddress } from './metadata-codec.ts';
import { diagnoseLogin, openConnection } from './open-connection.ts';
import type { ConnectionOptions } from './open-connection.ts';
import type { RequestFor } from './requests.ts';
import { parseAddress, showAddress } from './socket.ts';
import type { Address } from './socket.ts';

/** Where the cluster is, and how to connect to it. */
export interface ClusterOptions extends Omit<ConnectionOptions, 'signal'> {
  /** Brokers to ask for the others, as `host:port`. */
  readonly brokers: readonly string[];
  readonly observer: ServiceObserver;
}

/** First pause after a failed connection to an address, and the longest, in ms. */
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;
/** A call fails at once, instead of trying until its deadline, when the cluster has been away for so long, in ms. */
const KNOWN_AWAY_MS = 3_000;

/** A broker is not given up earlier than this after a request, in ms. */
const MIN_TIMEOUT_MS = 1_000;

/** How an address did at the last tries. */
interface Trouble {
  readonly failures: number;
  readonly until: number;
  readonly last: KafkaFailure;
}

/**
 * Connections to the brokers, made when they are needed and again when they are lost. A broker answers the requests
 * of a connection one after the other, so what may wait long has a `lane` of its own: a connection to each broker.
 */
export class Cluster {
  readonly health: Health;
  readonly #options: ConnectionOptions;
  readonly #seeds: readonly Address[];
  readonly #connections = new Map<string, KafkaConnection>();
  readonly #opening = new Map<string, Promise<KafkaConnection>>();
  readonly #trouble = new Map<string, Trouble>();
  readonly #nodes = new Map<number, Address>();
  /** Lanes that nobody will use again. */
  readonly #dropped = new Set<string>();
  readonly #closing = new AbortController();
  #turn = 0;

  constructor(options: ClusterOptions) {
    this.#options = { ...options, signal: this.#closing.signal };
    this.#seeds = options.brokers.map(parseAddress);
    this.health = new Health(options.observer);
  }

  /** It has been away for a while: trying again and again within one call is of no use. */
  readonly isKnownAway = (): boolean => this.health.downMs > KNOWN_AWAY_MS;

  /** Where the brokers are, as the cluster says. */
  learn(brokers: readonly BrokerAddress[]): void {
    this.#nodes.clear();
    for (const { nodeId, host, port } of brokers) this.#nodes.set(nodeId, { host, port });
  }

  /** One more broker, or where one is now. */
  learnOne({ nodeId, host, port }: BrokerAddress): void {
    this.#nodes.set(nodeId, { host, port });
  }

  knows(nodeId: number): boolean {
    return this.#nodes.has(nodeId);
  }

  /** Asks one broker. Rejects with a failure. */
  async ask<T>(nodeId: number, lane: string, request: RequestFor<T>, deadline: Deadline): Promise<T> {
    const address = this.#nodes.get(nodeId);
    if (address === undefined) throw away(`broker ${nodeId} is not known`);
    return this.#askAt(address, request, { lane, deadline });
  }

  /** Asks any broker; each gets at most `eachMs`. Rejects with the failure of the last. */
  async askAny<T>(lane: string, request: RequestFor<T>, deadline: Deadline, eachMs: number): Promise<T> {
    let last: unknown = away('there is no broker to ask: spec.kafka.brokers is empty');
    for (const address of this.#candidates(lane)) {
      if (deadline.leftMs === 0) break;
      try {
        return await this.#askAt(address, request, { lane, deadline, eachMs });
      } catch (error) {
        if (deadline.signal.aborted) throw closed();
        last = error;
        if (error instanceof KafkaFailure && error.kind === 'refused') break;
      }
    }
    throw last;
  }

  /** Ends the connections of a lane. */
  closeLane(lane: string): void {
    for (const [key, connection] of this.#connections) {
      if (key.startsWith(`${lane} `)) connection.end(closed());
    }
  }

  /** Ends the connections of a lane that is not used again, those too that are being made. */
  dropLane(lane: string): void {
    this.#dropped.add(lane);
    this.closeLane(lane);
  }

  /** Resolves when no connection is left. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const connection of this.#connections.values()) connection.end(closed());
    await Promise.allSettled(this.#opening.values());
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #askAt<T>(
    address: Address,
    request: RequestFor<T>,
    how: { readonly lane: string; readonly deadline: Deadline; readonly eachMs?: number },
  ): Promise<T> {
    const { lane, deadline, eachMs = Infinity } = how;
    const connection = await deadline.race(this.#connection(address, lane), showAddress(address));
    // Others use the connection too: it does not end because one caller has little time left.
    const timeoutMs = Math.min(eachMs, Math.max(MIN_TIMEOUT_MS, deadline.leftMs));
    const answer = connection.send(request, timeoutMs);
    try {
      const value = await deadline.race(answer, showAddress(address));
      this.health.up();
      return value;
    } catch (error) {
      answer.catch(() => {});
      throw await this.#explain(error, connection);
    }
  }

  /** A broker that wants a login says nothing: it hangs up at the first request. */
  async #explain(error: unknown, connection: KafkaConnection): Promise<unknown> {
    const greetedOnly = connection.answers === 1 && !connection.isOpen;
    if (this.#options.sasl !== undefined || !greetedOnly || this.#closed) return error;
    const reason = await diagnoseLogin(connection.address, this.#options);
    if (reason !== undefined) this.health.down(reason);
    return reason ?? error;
  }

  #connection(address: Address, lane: string): Promise<KafkaConnection> {
    const key = `${lane} ${showAddress(address)}`;
    const known = this.#connections.get(key);
    if (known?.isOpen === true && performance.now() < known.expiresAt) return Promise.resolve(known);
    const opening = this.#opening.get(key);
    if (opening !== undefined) return opening;
    if (this.#closed) return Promise.reject(closed());
    const trouble = this.#trouble.get(showAddress(address));
    if (trouble !== undefined && performance.now() < trouble.until) return Promise.reject(trouble.last);
    const made = this.#open(address, lane, key).finally(() => this.#opening.delete(key));
    this.#opening.set(key, made);
    // Who asked may have stopped waiting.
    made.catch(() => {});
    return made;
  }

  async #open(address: Address, lane: string, key: string): Promise<KafkaConnection> {
    let connection: KafkaConnection;
    try {
      connection = await openConnection(address, this.#options);
    } catch (error) {
      this.#failed(address, error);
      throw error;
    }
    if (this.#closed || this.#dropped.has(lane)) {
      connection.end(closed());
      throw closed();
    }
    const before = this.#connections.get(key);
    connection.onEnd = (failure, idle) => this.#ended(key, connection, { failure, idle });
    this.#connections.set(key, connection);
    this.#trouble.delete(showAddress(address));
    this.health.connected(key);
    // Replaced because its login runs out; what is under way on it may still be answered.
    if (before?.isIdle === true) before.end(away('replaced by a new connection'));
    return connection;
  }

  #ended(key: string, connection: KafkaConnection, how: { failure: KafkaFailure; idle: boolean }): void {
    if (this.#connections.get(key) === connection) this.#connections.delete(key);
    if (this.#closed || how.failure.kind === 'closed') return;
    this.health.lost(key);
    // A broker ends connections that nobody has used for a while.
    if (!how.idle) this.#failed(connection.address, how.failure);
  }

  #failed(address: Address, error: unknown): void {
    if (this.#closed) return;
    const key = showAddress(address);
    const failures = (this.#trouble.get(key)?.failures ?? 0) + 1;
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), MAX_BACKOFF_MS);
    const until = performance.now() + backoffMs * (0.5 + Math.random() / 2);
    const last = error instanceof KafkaFailure ? error : away(String(error));
    this.#trouble.set(key, { failures, until, last });
    if (last.kind === 'refused' || !this.#reachesAnotherThan(key)) this.health.down(last);
  }

  #reachesAnotherThan(key: string): boolean {
    return [...this.#connections.values()].some(
      ({ isOpen, address }) => isOpen && showAddress(address) !== key,
    );
  }

  /** Those with an open connection first, those that failed just now last; in turn. */
  #candidates(lane: string): readonly Address[] {
    const all = new Map<string, Address>();
    for (const address of [...this.#nodes.values(), ...this.#seeds]) all.set(showAddress(address), address);
    const now = performance.now();
    const rank = (key: string): number => {
      if (this.#connections.get(`${lane} ${key}`)?.isOpen === true) return 0;
      return (this.#trouble.get(key)?.until ?? 0) > now ? 2 : 1;
    };
    const keys = [...all.keys()];
    this.#turn = (this.#turn + 1) % Math.max(1, keys.length);
    const turned = [...keys.slice(this.#turn), ...keys.slice(0, this.#turn)];
    return turned.toSorted((a, b) => rank(a) - rank(b)).flatMap((key) => all.get(key) ?? []);
  }
}
