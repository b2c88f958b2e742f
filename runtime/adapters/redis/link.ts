import type { PortError } from '../../ports/port-error.ts';
import type { ServiceObserver } from '../../ports/service-observer.ts';
import type { Connection } from './connection.ts';
import { deadline } from './deadline.ts';
import { closedFailure, Failure, failureOf, portErrorOf, type Where } from './failure.ts';

export interface LinkOptions {
  /** Opens a connection to the server that is the right one now; rejects with a Failure. */
  readonly open: (signal: AbortSignal) => Promise<Connection>;
  readonly observer: ServiceObserver;
  readonly where: Where;
}

/** How long a call waits for a connection that is being made, in ms. */
const WAIT_MS = 1_000;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;
/** A connection that was lost earlier is a try that failed. */
const STEADY_MS = 1_000;

/**
 * Keeps one connection, made at the first call and made anew, for ever, when it is lost. Calls wait a little for the
 * first try; once one has failed they are rejected at once, with what it failed of, until one succeeds.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  #connection: Connection | undefined;
  #attempt: Promise<Connection> | undefined;
  /** Why the last try failed; undefined when it did not. */
  #failure: Failure | undefined;
  #cancelPause = (): void => {};
  #failures = 0;
  #isUp = false;
  #wasConnected = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Does work on the connection. Rejects with a PortError of this call. */
  async use<T>(call: string, work: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await work(this.#connection ?? (await this.#connected()));
    } catch (error) {
      throw portErrorOf(error, call);
    }
  }

  /** Throws `closed` once `close` was called. */
  checkOpen(call: string): void {
    if (this.#stop.signal.aborted) throw portErrorOf(closedFailure(), call);
  }

  /** Server of the connection, as host:port. */
  get server(): string | undefined {
    return this.#connection?.server;
  }

  /** Gives the connection up, and makes another one. */
  drop(failure: Failure): void {
    this.#connection?.drop(failure);
  }

  /** Ends the connection for good; resolves when its socket is closed. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#cancelPause();
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
    await this.#attempt?.catch(() => {});
  }

  #connected(): Promise<Connection> {
    if (this.#stop.signal.aborted) return Promise.reject(closedFailure());
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const attempt = this.#try();
    return new Promise((resolve, reject) => {
      const { server } = this.#options.where;
      const cancel = deadline(WAIT_MS, () =>
        reject(new Failure('unavailable', `${server} is still being connected to`)),
      );
      attempt.then(resolve, reject).finally(cancel);
    });
  }

  #try(): Promise<Connection> {
    if (this.#attempt !== undefined) return this.#attempt;
    const attempt = this.#open().finally(() => (this.#attempt = undefined));
    // Whoever waits for it sees it fail; perhaps nobody does.
    attempt.catch(() => {});
    this.#attempt = attempt;
    return attempt;
  }

  async #open(): Promise<Connection> {
    const { open, where } = this.#options;
    const { signal } = this.#stop;
    try {
      const connection = await open(signal);
      if (signal.aborted) {
        await connection.close();
        throw closedFailure();
      }
      this.#takes(connection);
      return connection;
    } catch (error) {
      if (signal.aborted) throw closedFailure();
      const failure = failureOf(error, where);
      this.#failed(failure);
      throw failure;
    }
  }

  #takes(connection: Connection): void {
    const { observer } = this.#options;
    const since = performance.now();
    this.#connection = connection;
    this.#failure = undefined;
    if (this.#wasConnected) observer.reconnected();
    this.#wasConnected = true;
    if (!this.#isUp) observer.up();
    this.#isUp = true;
    connection.onLost((failure) => this.#lost(failure, performance.now() - since));
  }

  #lost(failure: Failure, afterMs: number): void {
    this.#connection = undefined;
    if (this.#stop.signal.aborted) return;
    if (afterMs < STEADY_MS) {
      this.#failed(failure);
    } else {
      this.#failures = 0;
      void this.#try();
    }
  }

  #failed(failure: Failure): void {
    this.#failure = failure;
    this.#isUp = false;
    this.#options.observer.down(portErrorOf(failure, 'cache.connect') as PortError);
    const ms = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, MAX_PAUSE_MS);
    this.#failures += 1;
    // Those who lost the same server do not all come back at once.
    this.#cancelPause = deadline(ms * (1 - Math.random() / 2), () => void this.#try());
  }
}
