import type { Clock } from '../../clock.ts';

/** Which dispatchers have a link open to this worker, for those who wait for one to come or to go. */
export class DispatcherLinks {
  readonly #clock: Clock;
  readonly #open = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many dispatchers have a link open. */
  get count(): number {
    return this.#open.size;
  }

  add(dispatcherId: string): void {
    this.#open.set(dispatcherId, (this.#open.get(dispatcherId) ?? 0) + 1);
    this.#changed();
  }

  remove(dispatcherId: string): void {
    const left = (this.#open.get(dispatcherId) ?? 0) - 1;
    if (left > 0) this.#open.set(dispatcherId, left);
    else this.#open.delete(dispatcherId);
    this.#changed();
  }

  /** Resolves to true as soon as the dispatcher has a link open, to false after the time-out in ms. */
  async opened(dispatcherId: string, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    await this.#until(() => this.#open.has(dispatcherId), signal, timeoutMs);
    return this.#open.has(dispatcherId);
  }

  /** Resolves when the dispatcher has no link open, or the signal aborts. */
  async closed(dispatcherId: string, signal: AbortSignal): Promise<void> {
    await this.#until(() => !this.#open.has(dispatcherId), signal);
  }

  #until(condition: () => boolean, signal: AbortSignal, timeoutMs?: number): Promise<void> {
    if (condition() || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        this.#waiting.delete(check);
        signal.removeEventListener('abort', finish);
        cancel?.();
        resolve();
      };
      const check = (): void => {
        if (condition()) finish();
      };
      const cancel = timeoutMs === undefined ? undefined : this.#clock.after(timeoutMs, finish);
      this.#waiting.add(check);
      signal.addEventListener('abort', finish, { once: true });
    });
  }

  #changed(): void {
    for (const check of [...this.#waiting]) check();
  }
}
