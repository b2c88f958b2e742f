import { WireReader, WireWriter } from './wire.ts';

/** The library decodes record batches as it reads the answer; this adapter does that itself (record-batch.ts). */
export const FETCH_KEY = 1;
export const FETCH_VERSION = 11;
const NO_REPLICA = -1;
const READ_UNCOMMITTED = 0;
const NO_SESSION = { id: 0, epoch: -1 };
const ANY_EPOCH = -1;

/** What is wanted of a partition. */
export interface FetchPartition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** The first batch comes whole all the same. */
  readonly maxBytes: number;
}

/** How long the broker may wait for the first byte, in ms, and how much it may answer in all. */
export interface FetchBounds {
  readonly maxWaitMs: number;
  readonly maxBytes: number;
}

/** What came of a partition. */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** Offset behind the last record that all replicas in sync have. */
  readonly highWatermark: bigint;
  readonly logStart: bigint;
  readonly batches: Buffer;
}

/** Body of a Fetch request, version 11, outside of a fetch session. */
export function encodeFetchRequest(partitions: readonly FetchPartition[], bounds: FetchBounds): Buffer {
  const out = new WireWriter();
  const minBytes = 1;
  out.int32(NO_REPLICA).int32(bounds.maxWaitMs).int32(minBytes).int32(bounds.maxBytes).int8(READ_UNCOMMITTED);
  out.int32(NO_SESSION.id).int32(NO_SESSION.epoch);
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  out.int32(topics.size);
  for (const [topic, ofTopic] of topics) {
    out.string(topic).int32(ofTopic.length);
    for (const { partition, offset, maxBytes } of ofTopic) {
      out.int32(partition).int32(ANY_EPOCH).int64(offset).int64(-1n).int32(maxBytes);
    }
  }
  return out.int32(0).string('').written;
}

/** Reads the body of a Fetch response, version 11. */
export function decodeFetchResponse(body: Buffer): {
  errorCode: number;
  partitions: readonly FetchedPartition[];
} {
  const from = new WireReader(body);
  from.int32(); // throttle time
  const errorCode = from.int16();
  from.int32(); // session
  const partitions = from.array(() => {
    const topic = from.string();
    return from.array(() => readPartition(from, topic));
  });
  return { errorCode, partitions: partitions.flat() };
}

function readPartition(from: WireReader, topic: string): FetchedPartition {
  const partition = from.int32();
  const errorCode = from.int16();
  const highWatermark = from.int64();
  from.int64(); // last stable offset
  const logStart = from.int64();
  from.array(() => from.bytes(16)); // aborted transactions
  from.int32(); // preferred replica
  const batches = from.nullableBytes() ?? Buffer.alloc(0);
  return { topic, partition, errorCode, highWatermark, logStart, batches };
}
