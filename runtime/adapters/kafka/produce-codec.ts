import { WireReader, WireWriter } from './wire.ts';

/** The library's answer to this request does not say which partition an error is of; so it is read here. */
export const PRODUCE_KEY = 0;
export const PRODUCE_VERSION = 7;
const ALL_REPLICAS = -1;

/** A batch for a partition. */
export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

/** What became of it. */
export interface PartitionOutcome {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
}

/** Body of a Produce request, version 7, acks=all, in pieces that are sent one after the other. */
export function encodeProduceRequest(
  batches: readonly PartitionBatch[],
  timeoutMs: number,
): readonly Buffer[] {
  const head = new WireWriter();
  head.string(undefined).int16(ALL_REPLICAS).int32(timeoutMs);
  const topics = Map.groupBy(batches, ({ topic }) => topic);
  head.int32(topics.size);
  const pieces: Buffer[] = [];
  let out = head;
  for (const [topic, ofTopic] of topics) {
    out.string(topic).int32(ofTopic.length);
    for (const { partition, bytes } of ofTopic) {
      pieces.push(out.int32(partition).int32(bytes.length).written, bytes);
      out = new WireWriter();
    }
  }
  return pieces;
}

/** Reads the body of a Produce response, version 7. */
export function decodeProduceResponse(body: Buffer): readonly PartitionOutcome[] {
  const from = new WireReader(body);
  return from
    .array(() => {
      const topic = from.string();
      return from.array(() => {
        const partition = from.int32();
        const errorCode = from.int16();
        from.bytes(24); // base offset, append time, log start
        return { topic, partition, errorCode };
      });
    })
    .flat();
}
