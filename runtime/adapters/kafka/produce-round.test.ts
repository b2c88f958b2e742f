import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { NewRecord } from '../../ports/event-log.ts';
import { invalid } from './failure.ts';
import type { TopicMetadata } from './metadata-codec.ts';
import { packRecords, type PendingAppend } from './pending-append.ts';
import { fillRound, KeylessTurns, type RoundBatch, splitByAppend } from './produce-round.ts';
import { encodeBatch } from './record-batch.ts';

const LIMITS = { maxBatchBytes: 2_000, maxBatchRecords: 20, maxBytes: 5_000 };
const identity = { producerId: 1n, producerEpoch: 0, baseSequence: 0 };

function topicOf(name: string, leaders: readonly number[]): TopicMetadata {
  const partitions = leaders.map((leader, partition) => ({ partition, errorCode: 0, leader, replicas: [1] }));
  return { errorCode: 0, name, id: 'id', partitions };
}
const topics = new Map([['t', topicOf('t', [1, 1, 1])]]);
const record = (key: string | null, bytes = 10): NewRecord => ({
  topic: 't',
  key,
  value: new Uint8Array(bytes),
});
const pack = (...records: NewRecord[]): PendingAppend => packRecords(records, (name) => name);

/** All rounds, until nothing is left. */
function rounds(appends: readonly PendingAppend[]): RoundBatch[][] {
  const turns = new KeylessTurns();
  const all: RoundBatch[][] = [];
  while (appends.some((each) => each.next < each.records.length)) {
    all.push(fillRound(appends, topics, turns, LIMITS));
  }
  return all;
}

test('every record is in one batch, in order within its partition, and no batch is too large', () => {
  const keys = fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { nil: null });
  const records = fc.array(fc.tuple(keys, fc.integer({ min: 0, max: 3_000 })), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(fc.array(records, { minLength: 1, maxLength: 8 }), (calls) => {
      const appends = calls.map((call) => pack(...call.map(([key, bytes]) => record(key, bytes))));
      const numbers = new Map(appends.flatMap((each) => each.records).map(({ body }, n) => [body, n]));
      const sent = rounds(appends);
      const placed = new Map<number, number[]>();
      for (const batch of sent.flat()) {
        const bytes = encodeBatch(batch.bodies, 0, identity).length;
        expect(bytes).toBe(batch.bytes);
        if (batch.bodies.length > 1) expect(bytes).toBeLessThanOrEqual(LIMITS.maxBatchBytes);
        expect(batch.bodies.length).toBeLessThanOrEqual(LIMITS.maxBatchRecords);
        expect(batch.shares.reduce((sum, { count }) => sum + count, 0)).toBe(batch.bodies.length);
        const ofPartition = placed.get(batch.partition) ?? [];
        placed.set(batch.partition, [...ofPartition, ...batch.bodies.map((body) => numbers.get(body) ?? -1)]);
      }
      for (const order of placed.values()) expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect([...placed.values()].flat().length).toBe(numbers.size);
      for (const round of sent)
        expect(new Set(round.map(({ partition }) => partition)).size).toBe(round.length);
    }),
  );
});

test('records of one key go to one partition: that of Kafka', () => {
  const batches = rounds([pack(record('foobar'), record('foobar')), pack(record('foobar'))]).flat();
  // murmur2('foobar') is -790332482 (murmur2.test.ts).
  expect(batches.map(({ partition }) => partition)).toEqual([(-790332482 & 0x7fffffff) % 3]);
});

test('records without a key go to the partitions in turn, and to none without a leader', () => {
  const turns = new KeylessTurns();
  const topic = topicOf('t', [1, -1, 1]);
  const partitions = Array.from({ length: 4 }, () => {
    const [batch] = fillRound([pack(record(null))], new Map([['t', topic]]), turns, LIMITS);
    return batch?.partition;
  });
  expect(partitions).toEqual([0, 2, 0, 2]);
});

test('an append that is settled is passed over', () => {
  const settled = pack(record('a'));
  settled.done.catch(() => {});
  settled.fail(invalid('gone'));
  const batches = fillRound([settled, pack(record('b'))], topics, new KeylessTurns(), LIMITS);
  expect(batches.flatMap(({ bodies }) => bodies)).toHaveLength(1);
});

test('a batch is taken apart by its appends', () => {
  const one = pack(record('a'), record('a'));
  const two = pack(record('a'));
  const [batch] = fillRound([one, two], topics, new KeylessTurns(), LIMITS);
  if (batch === undefined) throw new Error('no batch');
  const parts = splitByAppend(batch);
  expect(parts.map(({ bodies }) => bodies.length)).toEqual([2, 1]);
  expect(parts.map(({ shares }) => shares.map(({ append }) => append))).toEqual([[one], [two]]);
});
