import { describe, expect, test } from '@jest/globals';
import { within } from '../test/helpers/eventually.ts';
import { ManualClock } from '../test/helpers/manual-clock.ts';
import { pause, systemClock } from './clock.ts';

/** Whether the promise has resolved by the end of this turn. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise<void>((resolve) => setImmediate(resolve));
  return done;
}

describe('a pause', () => {
  test('ends after its time', async () => {
    const clock = new ManualClock();
    const paused = pause(clock, 100);
    clock.advance(99);
    expect(await isDone(paused)).toBe(false);
    clock.advance(1);
    expect(await isDone(paused)).toBe(true);
    expect(clock.timers).toBe(0);
  });

  test('ends when the signal aborts, and leaves no timer', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const paused = pause(clock, 100, stop.signal);
    expect(clock.timers).toBe(1);
    stop.abort();
    expect(await isDone(paused)).toBe(true);
    expect(clock.timers).toBe(0);
  });

  test('does not begin when the signal has aborted', async () => {
    const clock = new ManualClock();
    await within('the pause', pause(clock, 100, AbortSignal.abort()));
    expect(clock.timers).toBe(0);
  });

  test('passes on the real clock', async () => {
    const from = systemClock.monotonic();
    await within('the pause', pause(systemClock, 20));
    expect(systemClock.monotonic() - from).toBeGreaterThanOrEqual(19);
  });
});
