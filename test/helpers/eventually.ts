import { setTimeout as sleep } from 'node:timers/promises';

/** Generous: a machine that is busy otherwise is slow, and that is no fault of what is tested. */
const DEADLINE_MS = 15_000;
const PROBE_EVERY_MS = 5;

type Falsy = false | undefined;

/** Asks again and again until the probe gives a value; rejects with the message after the deadline in ms. */
export async function eventually<T>(
  message: string,
  probe: () => T | Falsy | Promise<T | Falsy>,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${message}`);
    await sleep(PROBE_EVERY_MS);
  }
}

/** The promise's value; rejects with the message when it has none by the deadline in ms. */
export async function within<T>(message: string, promise: Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  const settled = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: settled.signal }).then(() => {
    throw new Error(`not within ${deadlineMs} ms: ${message}`);
  });
  // Its rejection by the abort comes when nobody waits for it any more.
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    settled.abort();
  }
}

/** One turn of the event loop, with what was put off to its end. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
