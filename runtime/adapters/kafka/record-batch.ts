import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { LogRecord } from '../../ports/event-log.ts';
import { crc32c } from './crc32c.ts';
import { away, refused } from './failure.ts';
import { varintSize, WireReader, WireWriter } from './wire.ts';

/**
 * Kafka's record batches, version 2 (https://kafka.apache.org/documentation/#recordbatch). The library's own codec
 * does not tell where a batch ends whose records were compacted away, so that a reader of a compacted topic would
 * stand still or skip; and it takes several times as long.
 */

/** Bytes of a batch before its records. */
export const BATCH_OVERHEAD = 61;
/** Bytes of a batch before what its length counts. */
const LENGTH_PREFIX = 12;
/** Where the checksum stands, and what it covers begins. */
const CRC_AT = 17;
const CRC_FROM = 21;
const MAGIC = 2;
const MAX_INFLATED_BYTES = 128 * 1024 * 1024;

const COMPRESSION = 0x07;
const LOG_APPEND_TIME = 0x08;
const CONTROL = 0x20;

/** Who appends, so that the broker tells a batch that is sent again from a new one. */
export interface BatchIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Number of the batch's first record in this partition, from 0 on. */
  readonly baseSequence: number;
}

/** Key and value of a record as a batch holds them, without headers. */
export function encodeBody(out: WireWriter, key: string | null, value: Uint8Array | null): void {
  if (key === null) {
    out.varint(-1);
  } else {
    const bytes = Buffer.from(key);
    out.varint(bytes.length).bytes(bytes);
  }
  if (value === null) out.varint(-1);
  else out.varint(value.byteLength).bytes(value);
  out.varint(0);
}

/** Bytes that a record with this body takes in a batch, as number `delta`. */
export function recordSize(body: Uint8Array, delta: number): number {
  const length = recordLength(body, delta);
  return varintSize(length) + length;
}

/** Attributes and time are one byte each, as all records of a batch have the time of the batch. */
function recordLength(body: Uint8Array, delta: number): number {
  return 2 + varintSize(delta) + body.byteLength;
}

/** One batch of records with these bodies, uncompressed. `timestamp`: ms since the epoch. */
export function encodeBatch(
  bodies: readonly Uint8Array[],
  timestamp: number,
  identity: BatchIdentity,
): Buffer {
  let size = BATCH_OVERHEAD;
  bodies.forEach((body, delta) => (size += recordSize(body, delta)));
  const out = new WireWriter(size);
  out
    .int64(0n)
    .int32(size - LENGTH_PREFIX)
    .int32(-1)
    .int8(MAGIC)
    .int32(0);
  out.int16(0).int32(bodies.length - 1);
  out.int64(BigInt(timestamp)).int64(BigInt(timestamp));
  out.int64(identity.producerId).int16(identity.producerEpoch).int32(identity.baseSequence);
  out.int32(bodies.length);
  bodies.forEach((body, delta) => {
    out.varint(recordLength(body, delta)).int8(0).varint(0).varint(delta).bytes(body);
  });
  const batch = out.written;
  out.patchInt32(CRC_AT, crc32c(batch.subarray(CRC_FROM)));
  return batch;
}

/** Records of one partition from an offset on, and where to go on behind them. */
export interface DecodedRecords {
  readonly records: readonly LogRecord[];
  /** Behind the last whole batch; `from` where there is none. Behind the last record, compaction may have left a gap. */
  readonly nextOffset: bigint;
}

/**
 * The records from offset `from` on of the batches in `bytes`; a batch that is cut off at the end is left out.
 * Throws a failure where a batch is damaged or compressed in a way that cannot be read.
 */
export function decodeBatches(bytes: Buffer, partition: number, from: bigint): DecodedRecords {
  const records: LogRecord[] = [];
  let nextOffset = from;
  for (let at = 0; at + BATCH_OVERHEAD <= bytes.length;) {
    const end = at + LENGTH_PREFIX + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    const next = decodeBatch(bytes.subarray(at, end), { partition, from, records });
    if (next > nextOffset) nextOffset = next;
    at = end;
  }
  return { records, nextOffset };
}

interface Sink {
  readonly partition: number;
  readonly from: bigint;
  readonly records: LogRecord[];
}

/** Returns the offset behind the batch. */
function decodeBatch(batch: Buffer, sink: Sink): bigint {
  const header = new WireReader(batch);
  const baseOffset = header.int64();
  header.bytes(8); // length, leader epoch
  const magic = header.int8();
  if (magic !== MAGIC)
    throw refused(`records of format ${magic}: the topic was written by a client older than Kafka 0.11`);
  if (header.uint32() !== crc32c(batch.subarray(CRC_FROM))) {
    throw away(`the batch at offset ${baseOffset.toString()} is damaged: its checksum is wrong`);
  }
  const attributes = header.int16();
  const nextOffset = baseOffset + BigInt(header.int32()) + 1n;
  const baseTimestamp = Number(header.int64());
  const maxTimestamp = Number(header.int64());
  header.bytes(14); // producer id, epoch, sequence
  const count = header.int32();
  if ((attributes & CONTROL) !== 0) return nextOffset;
  const body = inflate(batch.subarray(header.at), attributes & COMPRESSION);
  const appendTime = (attributes & LOG_APPEND_TIME) === 0 ? undefined : maxTimestamp;
  readRecords(new WireReader(body), count, { baseOffset, baseTimestamp, appendTime, sink });
  return nextOffset;
}

interface BatchBase {
  readonly baseOffset: bigint;
  readonly baseTimestamp: number;
  readonly appendTime: number | undefined;
  readonly sink: Sink;
}

function readRecords(body: WireReader, count: number, base: BatchBase): void {
  const { partition, from, records } = base.sink;
  for (let left = count; left > 0; left--) {
    const length = body.varint();
    const end = body.at + length;
    body.int8(); // attributes
    const timestampDelta = Number(body.varlong());
    const offset = base.baseOffset + BigInt(body.varint());
    const key = readBytes(body);
    const value = readBytes(body);
    body.bytes(end - body.at); // headers
    if (offset < from) continue;
    const timestamp = base.appendTime ?? base.baseTimestamp + timestampDelta;
    records.push({ partition, offset, key: key?.toString('utf8') ?? null, value, timestamp });
  }
}

function readBytes(body: WireReader): Buffer | null {
  const length = body.varint();
  return length < 0 ? null : body.bytes(length);
}

/** Node has no Snappy and no LZ4. */
function inflate(body: Buffer, compression: number): Buffer {
  const limit = { maxOutputLength: MAX_INFLATED_BYTES };
  switch (compression) {
    case 0:
      return body;
    case 1:
      return gunzipSync(body, limit);
    case 4:
      return zstdDecompressSync(body, limit);
    default: {
      const name = compression === 2 ? 'snappy' : compression === 3 ? 'lz4' : `algorithm ${compression}`;
      throw refused(
        `records are compressed by ${name}, which cannot be read: set the topic's compression.type to producer`,
      );
    }
  }
}
