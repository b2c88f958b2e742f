import type { NewRecord, TopicSpec } from '../../ports/event-log.ts';
import { invalid } from './failure.ts';

/** Brokers take batches of 1 MB by default. */
const MAX_RECORD_BYTES = 1_000_000;
const MAX_CALL_BYTES = 64 * 1024 * 1024;
const MAX_PARTITIONS = 1_000;
const TOPIC_NAME = /^[A-Za-z0-9._-]{1,200}$/;
/** Of a whole name in Kafka. */
const MAX_NAME = 249;

/** Refuses a spec that no topic can have. `fullName`: with the prefix. */
export function checkTopic({ name, partitions, retentionMs }: TopicSpec, fullName: string): void {
  if (!TOPIC_NAME.test(name)) throw invalid(`${JSON.stringify(name)} is not a name of a topic`);
  if (fullName.length > MAX_NAME) {
    throw invalid(`${fullName} is longer than ${MAX_NAME} characters: shorten spec.kafka.topicPrefix`);
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw invalid(`${name}: ${partitions} partitions, not 1 to ${MAX_PARTITIONS}`);
  }
  if (retentionMs !== undefined && !(retentionMs > 0)) {
    throw invalid(`${name}: records cannot be kept for ${retentionMs} ms`);
  }
}

/** Refuses a call with a record that no broker takes. `isCompacted`: whether records of the topic need keys. */
export function checkRecords(records: readonly NewRecord[], isCompacted: (topic: string) => boolean): void {
  const all = records.reduce((sum, record) => sum + checkRecord(record, isCompacted), 0);
  if (all > MAX_CALL_BYTES) throw invalid(`${all} bytes at a time; at most ${MAX_CALL_BYTES} are possible`);
}

/** Returns the record's bytes. */
function checkRecord({ topic, key, value }: NewRecord, isCompacted: (topic: string) => boolean): number {
  if (key?.isWellFormed() === false) throw invalid(`a key for ${topic} holds half a character`);
  if (key === null && isCompacted(topic)) {
    throw invalid(`a record for ${topic} has no key: the topic is compacted`);
  }
  const bytes = Buffer.byteLength(key ?? '') + (value?.byteLength ?? 0);
  if (bytes <= MAX_RECORD_BYTES) return bytes;
  throw invalid(`a record for ${topic} has ${bytes} bytes; at most ${MAX_RECORD_BYTES} are possible`);
}

/** Refuses a number of records that no answer can have. */
export function checkMaxRecords(maxRecords: number): void {
  if (!Number.isInteger(maxRecords) || maxRecords < 1)
    throw invalid(`maxRecords is ${maxRecords}, not 1 or more`);
}

/** Refuses what is no offset. */
export function checkOffset(offset: bigint): void {
  if (offset < 0n || offset > 2n ** 63n - 1n) throw invalid(`${offset.toString()} is not an offset`);
}
