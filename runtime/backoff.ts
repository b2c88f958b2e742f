/** Pauses between tries: from `initialMs`, doubled each time up to `maxMs`, with up to half taken off at random. */
export class Backoff {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #nextMs: number;

  constructor(initialMs: number, maxMs: number, random: () => number = Math.random) {
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
    this.#random = random;
    this.#nextMs = initialMs;
  }

  /** The pause before the next try, in ms. */
  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(ms * 2, this.#maxMs);
    return ms * (1 - this.#random() / 2);
  }

  /** A try succeeded. */
  reset(): void {
    this.#nextMs = this.#initialMs;
  }
}
