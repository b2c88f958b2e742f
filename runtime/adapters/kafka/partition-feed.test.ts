import { expect, test } from '@jest/globals';
import type { LogRecord } from '../../ports/event-log.ts';
import { invalid } from './failure.ts';
import { PartitionFeed } from './partition-feed.ts';

const { signal } = new AbortController();

function open(maxBuffered = 4): { readonly feed: PartitionFeed; readonly told: () => number } {
  let wanted = 0;
  const feed = new PartitionFeed({ topic: 't', partition: 0, from: 5n }, maxBuffered, () => (wanted += 1));
  return { feed, told: () => wanted };
}

const records = (from: bigint, count: number): LogRecord[] =>
  Array.from({ length: count }, (_, n) => {
    return { partition: 0, offset: from + BigInt(n), key: null, value: null, timestamp: 0 };
  });
const offsets = (taken: readonly LogRecord[]): bigint[] => taken.map(({ offset }) => offset);

test('gives records in order, at most so many, and goes on behind what was fetched', async () => {
  const { feed } = open();
  feed.add(5n, records(5n, 3), 10n);
  expect(feed.position).toBe(10n);
  expect(offsets(await feed.take(2, signal))).toEqual([5n, 6n]);
  feed.add(10n, records(12n, 1), 13n);
  expect(offsets(await feed.take(9, signal))).toEqual([7n, 12n]);
});

test('who takes waits for records', async () => {
  const { feed } = open();
  const taking = feed.take(9, signal);
  feed.add(5n, [], 7n);
  feed.add(7n, records(7n, 1), 8n);
  expect(offsets(await taking)).toEqual([7n]);
});

test('what was fetched from elsewhere is passed over', async () => {
  const { feed } = open();
  feed.add(4n, records(4n, 1), 5n);
  feed.add(5n, records(5n, 1), 6n);
  expect(offsets(await feed.take(9, signal))).toEqual([5n]);
});

test('wants no more when it is full, and tells when it does again', async () => {
  const { feed, told } = open(2);
  expect(feed.isWanting).toBe(true);
  feed.add(5n, records(5n, 3), 8n);
  expect(feed.isWanting).toBe(false);
  await feed.take(1, signal);
  expect([feed.isWanting, told()]).toEqual([false, 0]);
  await feed.take(1, signal);
  expect([feed.isWanting, told()]).toEqual([true, 1]);
});

test('gives what it has before it fails', async () => {
  const { feed } = open();
  feed.add(5n, records(5n, 1), 6n);
  feed.fail(invalid('out of range'));
  expect(feed.isWanting).toBe(false);
  expect(offsets(await feed.take(9, signal))).toEqual([5n]);
  await expect(feed.take(9, signal)).rejects.toMatchObject({ kind: 'invalid' });
});

test('a failure ends the wait, and so does the signal', async () => {
  const { feed } = open();
  const failing = feed.take(9, signal);
  feed.fail(invalid('out of range'));
  await expect(failing).rejects.toMatchObject({ kind: 'invalid' });
  const other = open().feed;
  const stopping = new AbortController();
  const stopped = other.take(9, stopping.signal);
  stopping.abort();
  expect(await stopped).toEqual([]);
});
