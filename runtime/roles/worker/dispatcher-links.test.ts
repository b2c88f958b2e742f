import { beforeEach, describe, expect, test } from '@jest/globals';
import { turn, within } from '../../../test/helpers/eventually.ts';
import { ManualClock } from '../../../test/helpers/manual-clock.ts';
import { DispatcherLinks } from './dispatcher-links.ts';

let clock: ManualClock;
let links: DispatcherLinks;
let stop: AbortController;

beforeEach(() => {
  clock = new ManualClock();
  links = new DispatcherLinks(clock);
  stop = new AbortController();
});

/** What the promise resolved to by the end of this turn, or `waiting`. */
async function now<T>(promise: Promise<T>): Promise<T | 'waiting'> {
  return Promise.race([promise, turn().then(() => 'waiting' as const)]);
}

describe('who waits for a link', () => {
  test('is told when the dispatcher opens one', async () => {
    const opened = links.opened('d1', 1_000, stop.signal);
    links.add('d2');
    expect(await now(opened)).toBe('waiting');
    links.add('d1');
    expect(await now(opened)).toBe(true);
    expect(clock.timers).toBe(0);
  });

  test('is told at once where there is one', async () => {
    links.add('d1');
    expect(await now(links.opened('d1', 1_000, stop.signal))).toBe(true);
    expect(clock.timers).toBe(0);
  });

  test('is told that none came in time', async () => {
    const opened = links.opened('d1', 1_000, stop.signal);
    clock.advance(999);
    expect(await now(opened)).toBe('waiting');
    clock.advance(1);
    expect(await now(opened)).toBe(false);
  });

  test('waits no longer than the signal allows', async () => {
    const opened = links.opened('d1', 1_000, stop.signal);
    stop.abort();
    expect(await now(opened)).toBe(false);
    expect(clock.timers).toBe(0);
    expect(await now(links.opened('d1', 1_000, stop.signal))).toBe(false);
  });
});

describe('who waits for the end of a link', () => {
  test('is told when the dispatcher has none left', async () => {
    links.add('d1');
    links.add('d1');
    const closed = links.closed('d1', stop.signal).then(() => 'closed');
    links.remove('d1');
    expect(await now(closed)).toBe('waiting');
    expect(links.count).toBe(1);
    links.remove('d1');
    expect(await now(closed)).toBe('closed');
    expect(links.count).toBe(0);
  });

  test('is told at once where there is none, or when the signal aborts', async () => {
    await within('nothing to wait for', links.closed('d1', stop.signal));
    links.add('d1');
    const closed = links.closed('d1', stop.signal).then(() => 'closed');
    expect(await now(closed)).toBe('waiting');
    stop.abort();
    expect(await now(closed)).toBe('closed');
  });
});

test('dispatchers are counted once, however many links they have', () => {
  links.add('d1');
  links.add('d1');
  links.add('d2');
  expect(links.count).toBe(2);
  links.remove('d3');
  expect(links.count).toBe(2);
});
