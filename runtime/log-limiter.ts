import type { Clock } from './clock.ts';

/**
 * Keeps a fault that hits thousands of operations a second from writing as many lines: of each kind one line a
 * period is let through, with how many were held back since the one before. Kinds must be few.
 */
export class LogLimiter {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #kinds = new Map<string, { until: number; heldBack: number }>();

  constructor(clock: Clock, periodMs = 1_000) {
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  /** How many lines of this kind were held back before this one; undefined: hold this one back too. */
  admit(kind: string): number | undefined {
    const now = this.#clock.monotonic();
    const known = this.#kinds.get(kind);
    if (known !== undefined && now < known.until) {
      known.heldBack += 1;
      return undefined;
    }
    this.#kinds.set(kind, { until: now + this.#periodMs, heldBack: 0 });
    return known?.heldBack ?? 0;
  }
}
