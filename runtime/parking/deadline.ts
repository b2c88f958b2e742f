import type { Clock } from '../clock.ts';
import { PortError } from '../ports/port-error.ts';

/**
 * The promise's value; after so many ms without one, rejects with `unavailable`. What the promise does later is
 * nobody's any more, a rejection included.
 */
export async function within<T>(clock: Clock, ms: number, call: string, promise: Promise<T>): Promise<T> {
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(ms, () => reject(new PortError('unavailable', call, `not within ${ms} ms`)));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}
