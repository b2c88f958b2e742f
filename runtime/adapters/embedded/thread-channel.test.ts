import { afterEach, describe, expect, test } from '@jest/globals';
import { Worker } from 'node:worker_threads';
import { ThreadChannel } from './thread-channel.ts';
import type { ChannelLimits } from './thread-channel.ts';

const LIMITS: ChannelLimits = { deadlineMs: 10_000, maxItems: 10, maxBytes: 1_000 };
const ITEM = { items: 1, bytes: 1 };

/** Answers a message with how many requests it had; ends when it is told, dies when it is asked to. */
const ECHO = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', (message) => {
    if (message === null) return parentPort.close();
    if (message.requests.includes('die')) throw new Error('asked to die');
    if (message.requests.includes('be silent')) return;
    const answers = message.requests.map(() => message.requests.length);
    const failures = message.requests.flatMap((request, place) =>
      request === 'fail' ? [{ place, kind: 'invalid', message: 'as asked' }] : []);
    parentPort.postMessage([{ answers, failures, advanced: [] }]);
  });`;

const workers: Worker[] = [];

function open(limits: Partial<ChannelLimits> = {}): ThreadChannel {
  const worker = new Worker(ECHO, { eval: true });
  workers.push(worker);
  return new ThreadChannel('echo', worker, { ...LIMITS, ...limits });
}

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

describe('a thread channel', () => {
  test('sends all of one turn in one message', async () => {
    const channel = open();
    const first = [channel.ask('call', 'a', ITEM), channel.ask('call', 'b', ITEM)];
    await new Promise((resolve) => setImmediate(resolve));
    const next = ['c', 'd', 'e'].map((request) => channel.ask('call', request, ITEM));
    expect(await Promise.all([...first, ...next])).toEqual([2, 2, 3, 3, 3]);
    await channel.close();
  });

  test('fails only the request that failed', async () => {
    const channel = open();
    const good = channel.ask('good', 'a', ITEM);
    const bad = channel.ask('bad', 'fail', ITEM);
    await expect(bad).rejects.toMatchObject({ kind: 'invalid', call: 'bad', message: 'bad: as asked' });
    expect(await good).toBe(2);
    await channel.close();
  });

  test('when the thread dies, fails what is under way, what waits, and what comes later', async () => {
    const channel = open();
    const underWay = channel.ask('call', 'die', ITEM);
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = channel.ask('call', 'a', ITEM);
    const gone = { kind: 'unavailable', message: expect.stringContaining('thread died') };
    await expect(underWay).rejects.toMatchObject(gone);
    await expect(waiting).rejects.toMatchObject(gone);
    await expect(channel.ask('call', 'a', ITEM)).rejects.toMatchObject(gone);
    await channel.close();
  });

  test('rejects with timeout what has no answer in time, and still counts what was sent', async () => {
    const channel = open({ deadlineMs: 40, maxItems: 2 });
    const silent = channel.ask('call', 'be silent', ITEM);
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = channel.ask('call', 'be silent', ITEM);
    await expect(silent).rejects.toMatchObject({ kind: 'timeout' });
    await expect(waiting).rejects.toMatchObject({ kind: 'timeout' });
    const two = { items: 2, bytes: 1 };
    await expect(channel.ask('call', 'a', two)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('refuses at once what its queue has no room for', async () => {
    const channel = open({ maxItems: 3, maxBytes: 100 });
    const kept = channel.ask('call', 'a', { items: 2, bytes: 50 });
    const full = { kind: 'unavailable', message: expect.stringContaining('queue of the echo is full') };
    await expect(channel.ask('call', 'a', { items: 2, bytes: 1 })).rejects.toMatchObject(full);
    await expect(channel.ask('call', 'a', { items: 1, bytes: 51 })).rejects.toMatchObject(full);
    expect(await kept).toBe(1);
    expect(await channel.ask('call', 'a', { items: 3, bytes: 100 })).toBe(1);
    await channel.close();
  });

  test('refuses for good what would never fit', async () => {
    const channel = open();
    await expect(channel.ask('call', 'a', { items: 11, bytes: 1 })).rejects.toMatchObject({
      kind: 'invalid',
    });
    await channel.close();
  });

  test('finishes what was asked before it closes, and takes nothing after', async () => {
    const channel = open();
    const asked = channel.ask('call', 'a', ITEM);
    const closed = channel.close();
    await expect(channel.ask('call', 'b', ITEM)).rejects.toMatchObject({ kind: 'closed' });
    await closed;
    expect(await asked).toBe(1);
  });
});
