import type { LogRecord, NewRecord } from '../../ports/event-log.ts';

/**
 * Records travel between threads packed in one buffer, because cloning thousands of small objects costs more
 * than storing them. Numbers are little-endian; a length of -1 is null.
 *
 * New record: topic's place (2 bytes), key length (4), value length (4), key, value.
 * Stored record: offset (8, float), timestamp (8, float), key length (4), value length (4), key, value.
 */
const NEW_HEADER = 10;
const STORED_HEADER = 24;

/** Packed records to append, and the topics they name by place. */
export interface PackedAppend {
  readonly topics: readonly string[];
  readonly payload: Uint8Array;
}

/** A record to append, as the writer sees it: views of the payload. */
export interface PackedRecord {
  readonly topic: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** Packs records to append, copying keys and values: the caller may use its buffers again at once. */
export function packAppend(records: readonly NewRecord[]): PackedAppend {
  const topics = [...new Set(records.map(({ topic }) => topic))];
  const places = new Map(topics.map((topic, place) => [topic, place]));
  const pack = Buffer.allocUnsafe(records.reduce((bytes, record) => bytes + packedBytes(record), 0));
  let at = 0;
  for (const { topic, key, value } of records) {
    const keyBytes = key === null ? -1 : pack.write(key, at + NEW_HEADER, 'utf8');
    pack.writeUInt16LE(places.get(topic) ?? 0, at);
    pack.writeInt32LE(keyBytes, at + 2);
    pack.writeInt32LE(value === null ? -1 : value.byteLength, at + 6);
    at += NEW_HEADER + Math.max(keyBytes, 0);
    if (value !== null) pack.set(value, at);
    at += value?.byteLength ?? 0;
  }
  return { topics, payload: pack };
}

function packedBytes({ key, value }: NewRecord): number {
  return NEW_HEADER + (key === null ? 0 : Buffer.byteLength(key)) + (value?.byteLength ?? 0);
}

/** Walks over the records of one append. */
export function* unpackAppend(payload: Uint8Array): Generator<PackedRecord> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let at = 0;
  while (at < payload.byteLength) {
    const keyBytes = view.getInt32(at + 2, true);
    const valueBytes = view.getInt32(at + 6, true);
    const keyAt = at + NEW_HEADER;
    const valueAt = keyAt + Math.max(keyBytes, 0);
    yield {
      topic: view.getUint16(at, true),
      key: slice(payload, keyAt, keyBytes),
      value: slice(payload, valueAt, valueBytes),
    };
    at = valueAt + Math.max(valueBytes, 0);
  }
}

/** A record as it is read from the database. */
export interface StoredRecord {
  readonly offset: number;
  readonly at: number;
  /** Length of the key; null when there is none. */
  readonly keyBytes: number | null;
  /** Length of the value; null when there is none. */
  readonly valueBytes: number | null;
  /** The key, and behind it the value. */
  readonly content: Uint8Array;
}

/** Bytes that a stored record takes when packed. */
export function storedBytes({ content }: StoredRecord): number {
  return STORED_HEADER + content.byteLength;
}

/** Packs stored records into a buffer of their own, which can be transferred. */
export function packStored(records: readonly StoredRecord[]): Uint8Array<ArrayBuffer> {
  const pack = new Uint8Array(records.reduce((bytes, record) => bytes + storedBytes(record), 0));
  const view = new DataView(pack.buffer);
  let at = 0;
  for (const { offset, at: timestamp, keyBytes, valueBytes, content } of records) {
    view.setFloat64(at, offset, true);
    view.setFloat64(at + 8, timestamp, true);
    view.setInt32(at + 16, keyBytes ?? -1, true);
    view.setInt32(at + 20, valueBytes ?? -1, true);
    pack.set(content, at + STORED_HEADER);
    at += STORED_HEADER + content.byteLength;
  }
  return pack;
}

/** Unpacks what the reader answered; values are views of the pack. */
export function unpackStored(partition: number, pack: Uint8Array): LogRecord[] {
  const bytes = Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength);
  const records: LogRecord[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    const keyBytes = bytes.readInt32LE(at + 16);
    const valueBytes = bytes.readInt32LE(at + 20);
    const keyAt = at + STORED_HEADER;
    const valueAt = keyAt + Math.max(keyBytes, 0);
    records.push({
      partition,
      offset: BigInt(bytes.readDoubleLE(at)),
      timestamp: bytes.readDoubleLE(at + 8),
      key: keyBytes < 0 ? null : bytes.toString('utf8', keyAt, valueAt),
      value: slice(pack, valueAt, valueBytes),
    });
    at = valueAt + Math.max(valueBytes, 0);
  }
  return records;
}

function slice(bytes: Uint8Array, at: number, length: number): Uint8Array | null {
  return length < 0 ? null : bytes.subarray(at, at + length);
}
