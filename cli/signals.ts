/** Signals of the same kind within this time are one: npm passes on what the terminal has sent already. */
const SAME_SIGNAL_MS = 300;

/**
 * Calls `drain` on the first SIGINT or SIGTERM and `abort` on a second one. Returns how to stop listening.
 */
export function onStopSignals(drain: (signal: string) => void, abort: () => void): () => void {
  let firstAt: number | undefined;
  const listener = (signal: string): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      drain(signal);
    } else if (now - firstAt > SAME_SIGNAL_MS) {
      abort();
    }
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}
