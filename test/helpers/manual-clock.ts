import type { CancelTimer, Clock } from '../../runtime/clock.ts';

interface Timer {
  due: number;
  readonly everyMs: number | undefined;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  readonly #epoch: number;
  #elapsed = 0;

  /** `epoch`: the wall-clock time at the start, in ms. */
  constructor(epoch = 1_700_000_000_000) {
    this.#epoch = epoch;
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#epoch + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, callback: () => void): CancelTimer {
    return this.#add({ due: this.#elapsed + ms, everyMs: undefined, callback });
  }

  every(ms: number, callback: () => void): CancelTimer {
    return this.#add({ due: this.#elapsed + ms, everyMs: ms, callback });
  }

  /** Moves on by this many ms and runs, each at its time and in order, the timers that come due. */
  advance(ms: number): void {
    const target = this.#elapsed + ms;
    for (let timer = this.#nextDue(target); timer !== undefined; timer = this.#nextDue(target)) {
      this.#elapsed = Math.max(this.#elapsed, timer.due);
      if (timer.everyMs === undefined) this.#timers.delete(timer);
      else timer.due = this.#elapsed + timer.everyMs;
      timer.callback();
    }
    this.#elapsed = target;
  }

  /** Lets time pass without running timers, as a process that is stopped or blocked does. */
  stall(ms: number): void {
    this.#elapsed += ms;
  }

  #add(timer: Timer): CancelTimer {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #nextDue(target: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= target && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }
}
