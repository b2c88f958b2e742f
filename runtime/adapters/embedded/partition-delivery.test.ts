import { expect, test } from '@jest/globals';
import type { LogRecord, SubscribeOptions } from '../../ports/event-log.ts';
import { PortError } from '../../ports/port-error.ts';
import { PartitionDelivery } from './partition-delivery.ts';
import type { PartitionSource, ReadRecords } from './partition-delivery.ts';

const TIMES = { retryPauseMs: 1, maxRetryPauseMs: 4, lingerMs: 0 };

/** A partition whose reads a test answers one by one; it is at its end after the last answer. */
function sourceOf(reads: readonly (ReadRecords | Error)[]): PartitionSource & {
  readonly asked: bigint[];
  readonly atEnd: Promise<bigint>;
} {
  const left = [...reads];
  const asked: bigint[] = [];
  const { promise, resolve } = Promise.withResolvers<bigint>();
  return {
    topic: 'topic',
    partition: 0,
    asked,
    atEnd: promise,
    read: (from) => {
      asked.push(from);
      const next = left.shift() ?? new Error('no more reads were expected');
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    reached: (offset, signal) => {
      if (left.length > 0) return Promise.resolve();
      resolve(offset);
      return new Promise((aborted) => signal.addEventListener('abort', () => aborted()));
    },
    committedOrStart: () => Promise.resolve(3n),
    commit: () => Promise.resolve(),
  };
}

const record = (offset: bigint): LogRecord => ({
  partition: 0,
  offset,
  key: null,
  value: null,
  timestamp: 0,
});

function optionsOf(more: Partial<SubscribeOptions> = {}): SubscribeOptions {
  return { group: 'g', topics: ['topic'], onBatch: () => Promise.resolve(), onError: () => {}, ...more };
}

test('waits behind the end when all that was left has been compacted away', async () => {
  const source = sourceOf([{ records: [], end: 9n }]);
  const delivery = new PartitionDelivery(source, optionsOf(), TIMES);
  expect(await source.atEnd).toBe(9n);
  expect(source.asked).toEqual([3n]);
  await delivery.stop();
});

test('reads again from the same offset after a failed read, and asks for the offset when it was invalid', async () => {
  const invalid = new PortError('invalid', 'read', 'out of range');
  const source = sourceOf([
    { records: [record(3n)], end: 4n },
    new PortError('unavailable', 'read', 'away'),
    invalid,
    { records: [], end: 4n },
  ]);
  const errors: unknown[] = [];
  const starts = [undefined, 4n];
  const options = optionsOf({
    onAssigned: () => Promise.resolve(starts.shift()),
    onError: (error) => errors.push(error),
  });
  const delivery = new PartitionDelivery(source, options, TIMES);
  await source.atEnd;
  expect(source.asked).toEqual([3n, 4n, 4n, 4n]);
  expect(errors).toMatchObject([{ kind: 'unavailable' }, invalid]);
  expect(starts).toEqual([]);
  await delivery.stop();
});

test('a listener that throws does not end the delivery', async () => {
  const source = sourceOf([new Error('away'), { records: [], end: 3n }]);
  const onError = (): never => {
    throw new Error('of the listener');
  };
  const delivery = new PartitionDelivery(source, optionsOf({ onError }), TIMES);
  expect(await source.atEnd).toBe(3n);
  await delivery.stop();
});

test('records gather behind a delivery that was not full, and only behind that', async () => {
  const source = sourceOf([
    { records: [record(3n), record(4n)], end: 6n },
    { records: [record(5n)], end: 6n },
  ]);
  const delivered: number[] = [];
  const { promise: isPartial, resolve } = Promise.withResolvers<undefined>();
  const options = optionsOf({
    maxRecords: 2,
    gatherMs: 60_000,
    onBatch: ({ records }) => {
      delivered.push(records.length);
      if (records.length < 2) resolve(undefined);
      return Promise.resolve();
    },
  });
  const delivery = new PartitionDelivery(source, options, TIMES);
  await isPartial;
  for (let turns = 0; turns < 20; turns += 1) await new Promise((next) => setImmediate(next));
  expect(delivered).toEqual([2, 1]);
  expect(source.asked).toEqual([3n, 5n]);
  await delivery.stop();
});
