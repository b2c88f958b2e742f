import { beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { parseObjectKey } from '../../archive/object-key.ts';
import { createMetrics } from '../../metrics.ts';
import type { LogRecord, RecordBatch } from '../../ports/event-log.ts';
import type { ObjectStore, PutResult } from '../../ports/object-store.ts';
import { eventually, turn, within } from '../../../test/helpers/eventually.ts';
import { fakeOf } from '../../../test/helpers/fakes.ts';
import { ManualClock } from '../../../test/helpers/manual-clock.ts';
import { PartitionArchiver } from './partition-archiver.ts';

/** Puts that were asked for, each answered by the test. */
interface Put {
  readonly from: bigint | undefined;
  readonly count: string | undefined;
  answer(): void;
}

let puts: Put[];
let commits: bigint[];
let clock: ManualClock;
let taken: AbortController;
let partition: PartitionArchiver;

beforeEach(() => {
  puts = [];
  commits = [];
  clock = new ManualClock();
  taken = new AbortController();
  const objects = fakeOf<ObjectStore>({
    put: (_bucket, key, _body, options) =>
      new Promise<PutResult>((resolve) => {
        const answer = (): void => resolve({ outcome: 'stored', etag: '' });
        puts.push({ from: parseObjectKey(key)?.from, count: options?.metadata?.['count'], answer });
      }),
  });
  partition = new PartitionArchiver({
    chain: { topic: 'topic', generation: 'generation', partition: 0 },
    from: 0n,
    limits: { batchSize: 3, maxBytes: 1_000_000, maxAgeMs: 1_000 },
    objects,
    bucket: 'bucket',
    retry: { initialMs: 1, maxMs: 1 },
    clock,
    logger: pino({ level: 'silent' }),
    metrics: createMetrics(),
  });
});

function batch(from: number, to: number): RecordBatch {
  const records = Array.from({ length: to - from }, (_, place): LogRecord => {
    const offset = BigInt(from + place);
    return { partition: 0, offset, key: null, value: Buffer.from(`${offset}`), timestamp: 0 };
  });
  const commit = (offset: bigint): Promise<void> => {
    commits.push(offset);
    return Promise.resolve();
  };
  return { topic: 'topic', partition: 0, records, signal: taken.signal, commit };
}

async function nextPut(place: number): Promise<Put> {
  return eventually(`put ${place}`, () => puts[place]);
}

describe('a partition that is archived', () => {
  test('gathers while it stores, and lets nobody in while both are full', async () => {
    const added = partition.add(batch(0, 10));
    let isAdded = false;
    void added.then(() => {
      isAdded = true;
    });
    const first = await nextPut(0);
    await turn();
    expect({ isAdded, puts: puts.length }).toEqual({ isAdded: false, puts: 1 });
    first.answer();
    (await nextPut(1)).answer();
    (await nextPut(2)).answer();
    await within('all have found room', added);
    expect(puts.map(({ from, count }) => [from, count])).toEqual([
      [0n, '3'],
      [3n, '3'],
      [6n, '3'],
    ]);
    await eventually('the commit', () => commits.at(-1) === 9n);
    expect(partition.reached).toBe(9n);
  });

  test('takes records once, however often they are delivered', async () => {
    await partition.add(batch(0, 2));
    await partition.add(batch(0, 2));
    await partition.add(batch(1, 3));
    (await nextPut(0)).answer();
    await partition.add(batch(0, 4));
    void partition.flush();
    const { from, count } = await nextPut(1);
    expect([from, count]).toEqual([3n, '1']);
  });

  test('stores what it holds when it is flushed, and takes no more', async () => {
    await partition.add(batch(0, 1));
    const flushed = partition.flush();
    const refused = partition.add(batch(1, 2));
    (await nextPut(0)).answer();
    await within('the flush', flushed);
    expect(commits).toEqual([1n]);
    taken.abort();
    await within('who brought more is let go', refused);
    expect(puts).toHaveLength(1);
  });

  test('drops what it holds when the partition is taken away, and lets go who waits', async () => {
    const waiting = partition.add(batch(0, 10));
    await nextPut(0);
    taken.abort();
    await within('who waited', waiting);
    puts[0]?.answer();
    clock.advance(10_000);
    await within('the flush', partition.flush());
    expect(puts).toHaveLength(1);
    expect(clock.timers).toBe(0);
  });

  test('takes nothing any more when it was given up, even of a partition that is not taken away', async () => {
    await partition.add(batch(0, 1));
    partition.abandon();
    await expect(partition.add(batch(1, 2))).rejects.toThrow('given up');
    taken.abort();
    await partition.add(batch(1, 2));
    expect(puts).toEqual([]);
  });
});
