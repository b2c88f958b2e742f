/** Ends a timer; calling it again does nothing. */
export type CancelTimer = () => void;

/** Time, as everything in the runtime sees it, so that tests can move it by hand. */
export interface Clock {
  /** Wall clock, in ms since the epoch. */
  now(): number;
  /** A clock that never goes back, in ms; for deadlines and durations. */
  monotonic(): number;
  /** Calls once, after the time given in ms. */
  after(ms: number, callback: () => void): CancelTimer;
  /** Calls again and again. Does not keep the process alive. */
  every(ms: number, callback: () => void): CancelTimer;
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  every(ms, callback) {
    const timer = setInterval(callback, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Resolves after the time given in ms, or at once when the signal aborts. Never rejects. */
export async function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(ms, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
