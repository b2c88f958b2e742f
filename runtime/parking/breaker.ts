import { Backoff } from '../backoff.ts';

const INITIAL_MS = 500;
const MAX_MS = 5_000;

/**
 * Open while what a resend needs (a member, a store) is away: then single writes probe for it, with growing
 * pauses, in place of all writes failing again and again.
 */
export class Breaker {
  readonly #backoff: Backoff;
  #pauseMs: number | undefined;

  constructor(random: () => number = Math.random) {
    this.#backoff = new Backoff(INITIAL_MS, MAX_MS, random);
  }

  get isOpen(): boolean {
    return this.#pauseMs !== undefined;
  }

  /** How long to wait before the next probe, in ms; undefined while it is closed. */
  get pauseMs(): number | undefined {
    return this.#pauseMs;
  }

  /** Something was away: opens, or waits longer. */
  fail(): void {
    this.#pauseMs = this.#backoff.next();
  }

  /** A worker answered, but the store did not decide: stays as it is, and probes at the first pace again. */
  answer(): void {
    this.#backoff.reset();
    if (this.isOpen) this.#pauseMs = this.#backoff.next();
  }

  /** The store decided about a write, or there is nothing left to send: closes. */
  close(): void {
    this.#backoff.reset();
    this.#pauseMs = undefined;
  }
}
