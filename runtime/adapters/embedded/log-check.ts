import type { NewRecord, TopicSpec } from '../../ports/event-log.ts';
import { PortError } from '../../ports/port-error.ts';
import { checkString } from '../argument-check.ts';

/** As Kafka's default (message.max.bytes), so that what a laptop accepts a cluster accepts too. */
const MAX_RECORD_BYTES = 1_000_000;
const MAX_PARTITIONS = 1_000;
const TOPIC_NAME = /^[A-Za-z0-9._-]{1,200}$/;

/** Refuses a spec that no topic can have. */
export function checkTopic(call: string, { name, partitions, retentionMs }: TopicSpec): void {
  if (!TOPIC_NAME.test(name)) throw new PortError('invalid', call, `${JSON.stringify(name)} is not a name`);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw new PortError('invalid', call, `${name}: ${partitions} partitions, not 1 to ${MAX_PARTITIONS}`);
  }
  if (retentionMs !== undefined && !(retentionMs > 0)) {
    throw new PortError('invalid', call, `${name}: records cannot be kept for ${retentionMs} ms`);
  }
}

/** Refuses a record that is too large, or whose key UTF-8 cannot hold. */
export function checkRecord(call: string, { topic, key, value }: NewRecord): void {
  if (key !== null) checkString(call, key, 'a key');
  const bytes = (key?.length ?? 0) + (value?.byteLength ?? 0);
  if (bytes <= MAX_RECORD_BYTES) return;
  throw new PortError('invalid', call, `a record for ${topic} has ${bytes} bytes of ${MAX_RECORD_BYTES}`);
}

/** An offset as the database stores it. Refuses what no partition can have. */
export function offsetNumber(call: string, offset: bigint): number {
  if (offset >= 0n && offset <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(offset);
  throw new PortError('invalid', call, `${offset.toString()} is not an offset`);
}

/** Refuses a number of records that no answer can have. */
export function checkMaxRecords(call: string, maxRecords: number): void {
  if (Number.isInteger(maxRecords) && maxRecords >= 1) return;
  throw new PortError('invalid', call, `maxRecords is ${maxRecords}, not 1 or more`);
}
