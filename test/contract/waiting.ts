import { randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import type { PortErrorKind } from '../../runtime/ports/port-error.ts';

/** Real services rebalance and fail over within this time. */
const DEADLINE_MS = 20_000;

/** A name that no other test uses: lower-case letters, digits and `_`. */
export function unique(name: string): string {
  return `${name}_${randomBytes(6).toString('hex')}`;
}

/** Asserts that a call fails with a PortError of this kind. */
export async function expectPortError(call: Promise<unknown>, kind: PortErrorKind): Promise<void> {
  await expect(call).rejects.toMatchObject({ name: 'PortError', kind });
}

/** What a test has seen so far, and a way to wait for more with a deadline and a message. */
export class Observed<T> {
  readonly items: T[] = [];
  readonly #waiting = new Set<() => void>();

  readonly push = (...items: readonly T[]): void => {
    this.items.push(...items);
    for (const look of this.#waiting) look();
  };

  /** `push`, for handlers that return a promise. */
  readonly take = (...items: readonly T[]): Promise<void> => {
    this.push(...items);
    return Promise.resolve();
  };

  /** Resolves when `done` holds of all items; rejects with the message after the deadline. */
  until(message: string, done: (items: readonly T[]) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        settle();
      };
      const look = (): void => {
        if (done(this.items)) end(resolve);
      };
      const late = (): void =>
        reject(new Error(`${message}: not in ${DEADLINE_MS} ms; saw ${show(this.items)}`));
      const timer = setTimeout(() => end(late), DEADLINE_MS);
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves when there are at least so many items. */
  count(message: string, count: number): Promise<void> {
    return this.until(message, ({ length }) => length >= count);
  }
}

function show(items: readonly unknown[]): string {
  const replacer = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
  return `${items.length}: ${JSON.stringify(items.slice(-5), replacer)}`;
}

/** A door that a test opens: `opened` resolves then. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { opened: promise, open: () => resolve(undefined) };
}
