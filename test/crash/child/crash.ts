import type { Interceptor, PortCall } from './intercept.ts';
import type { CrashOrder } from './orders.ts';

/** Ends this process at once, as `kill -9` does: nothing is flushed, closed or answered. */
export type Die = () => void;

/** Dies at the call that an order names. One order at a time; a new one takes the place of the last. */
export class CrashPoint {
  readonly #die: Die;
  #order: CrashOrder | undefined;
  #left = 0;

  constructor(die: Die = () => process.kill(process.pid, 'SIGKILL')) {
    this.#die = die;
  }

  arm(order: CrashOrder): void {
    this.#order = order;
    this.#left = order.nth;
  }

  readonly intercept: Interceptor = (call, proceed) => {
    const order = this.#reached(call);
    if (order === undefined) return proceed();
    if (order.moment === 'before') this.#die();
    const result = proceed();
    if (order.moment === 'during') setTimeout(this.#die, order.delayMs);
    // Before the caller hears of it: the caller's own reaction comes later in the same queue.
    return result instanceof Promise ? result.finally(this.#die) : result;
  };

  #reached({ name }: PortCall): CrashOrder | undefined {
    if (this.#order?.call !== name) return undefined;
    this.#left -= 1;
    return this.#left === 0 ? this.#order : undefined;
  }
}
