import type { LogRecord, PartitionRange } from '../../ports/event-log.ts';
import type { Cluster } from './cluster.ts';
import type { Deadline } from './deadline.ts';
import { CODES } from './error-codes.ts';
import { away, check, isRetriable } from './failure.ts';
import { outOfRange } from './fetcher.ts';
import { decodeBatches } from './record-batch.ts';
import { fetch, listOffsets } from './requests.ts';
import type { TopicDirectory } from './topic-directory.ts';

/** Where to ask. */
export interface LogPlace {
  readonly cluster: Cluster;
  readonly directory: TopicDirectory;
}

const LANE = 'main';
/** Bytes asked for at a time: a few for who wants few records; the first batch comes whole all the same. */
const MIN_BYTES = 32 * 1024;
const MAX_BYTES = 4 * 1024 * 1024;
const BYTES_A_RECORD = 1024;

/** The first offset of a partition. */
export async function startOf(
  place: LogPlace,
  topic: string,
  partition: number,
  deadline: Deadline,
): Promise<bigint> {
  const { leader } = await place.directory.partition(topic, partition, deadline);
  const [start] = await listed(place, { topic, partitions: [partition], leader }, 'earliest', deadline);
  if (start === undefined) throw away(`partition ${partition} of ${topic}: no answer`);
  return start.offset;
}

/** Start and end of each partition, in their order. */
export async function rangesOf(
  place: LogPlace,
  topic: string,
  deadline: Deadline,
): Promise<readonly PartitionRange[]> {
  const { partitions } = await place.directory.find(topic, deadline);
  const byLeader = new Map<number, number[]>();
  for (const { partition } of partitions) {
    const { leader } = await place.directory.partition(topic, partition, deadline);
    byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
  }
  const ranges = await Promise.all(
    Array.from(byLeader, async ([leader, ofLeader]) => {
      const at = { topic, partitions: ofLeader, leader };
      // The start is asked first, on the same connection: so it is never behind the end.
      const [starts, ends] = await Promise.all([
        listed(place, at, 'earliest', deadline),
        listed(place, at, 'latest', deadline),
      ]);
      return starts.flatMap(({ partition, offset: start }) => {
        const end = ends.find((each) => each.partition === partition);
        return end === undefined ? [] : [{ partition, start, end: end.offset }];
      });
    }),
  );
  return ranges.flat().toSorted((a, b) => a.partition - b.partition);
}

async function listed(
  { cluster, directory }: LogPlace,
  at: { readonly topic: string; readonly partitions: readonly number[]; readonly leader: number },
  which: 'earliest' | 'latest',
  deadline: Deadline,
): Promise<readonly { readonly partition: number; readonly offset: bigint }[]> {
  const { topic, partitions, leader } = at;
  const answer = await noticingStale(directory, topic, async () => {
    const { responses } = await cluster.ask(leader, LANE, listOffsets(topic, partitions, which), deadline);
    const found = responses.flatMap((each) => each.partitions);
    for (const { partition, errorCode } of found) check(errorCode, `partition ${partition} of ${topic}`);
    return found;
  });
  return answer.map(({ partition, offset }) => ({ partition, offset: BigInt(offset) }));
}

/** What is read of a partition. */
export interface ReadFrom {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly maxRecords: number;
}

/** Up to `maxRecords` records; empty at the end of the partition. Rejects with `invalid` outside of the partition. */
export async function readFrom(
  { cluster, directory }: LogPlace,
  { topic, partition, from, maxRecords }: ReadFrom,
  deadline: Deadline,
): Promise<readonly LogRecord[]> {
  const { leader } = await directory.partition(topic, partition, deadline);
  const about = `partition ${partition} of ${topic}`;
  const maxBytes = Math.min(MAX_BYTES, Math.max(MIN_BYTES, maxRecords * BYTES_A_RECORD));
  for (let offset = from; ;) {
    const fetched = await noticingStale(directory, topic, async () => {
      const request = fetch([{ topic, partition, offset, maxBytes }], { maxWaitMs: 0, maxBytes });
      const answer = await cluster.ask(leader, LANE, request, deadline);
      check(answer.errorCode, about);
      const [only] = answer.partitions;
      if (only === undefined) throw away(`${about}: no answer`);
      if (only.errorCode === CODES.offsetOutOfRange) throw outOfRange(about, offset);
      check(only.errorCode, about);
      return only;
    });
    const { records, nextOffset } = decodeBatches(fetched.batches, partition, offset);
    if (records.length > 0) return records.slice(0, maxRecords);
    // Nothing but records that were compacted away: the next ones are behind them.
    if (nextOffset === offset || nextOffset >= fetched.highWatermark) return [];
    offset = nextOffset;
  }
}

/** A broker that does not lead the partition any more says so; or it is gone. */
async function noticingStale<T>(directory: TopicDirectory, topic: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (isRetriable(error)) directory.markStale(topic);
    throw error;
  }
}
