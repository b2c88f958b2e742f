import type { LogRecord, NewRecord, TopicSpec } from '../ports/event-log.ts';
import { PortError } from '../ports/port-error.ts';
import type { ParkedWrite } from './parked-write.ts';
import { fromStored, parseWriteName, toStored, type WriteKey, writeName } from './stored-write.ts';

/**
 * The durable store of parked writes. The last record of a key is the write as it stands now; a tombstone says
 * that the store has decided about it. One partition, so that one offset says how far the schedule has come.
 */
export const PARKED_WRITES: TopicSpec = { name: 'parked_writes', partitions: 1, compacted: true };

/** What one record says of one write: how it stands now, or (undefined) that it is resolved. */
export interface ParkedChange {
  readonly key: WriteKey;
  readonly write: ParkedWrite | undefined;
}

/** The record that stores a write. Throws `invalid` for names that a key cannot hold. */
export function recordOf(write: ParkedWrite): NewRecord {
  return { ...tombstoneOf(write), value: Buffer.from(JSON.stringify(toStored(write))) };
}

/** The record that resolves a write. Throws `invalid` for names that a key cannot hold. */
export function tombstoneOf(key: WriteKey): NewRecord {
  const name = writeName(key);
  if (parseWriteName(name) === undefined) {
    throw new PortError('invalid', 'parking', `${JSON.stringify(name)} cannot name a parked write`);
  }
  return { topic: PARKED_WRITES.name, key: name, value: null };
}

/** What a record says; undefined when it is none of ours. */
export function changeOf({ key: name, value }: LogRecord): ParkedChange | undefined {
  const key = parseWriteName(name ?? '');
  if (key === undefined) return undefined;
  if (value === null) return { key, write: undefined };
  const write = fromStored(key, parseJson(value));
  return write?.bodyHash === key.bodyHash ? { key, write } : undefined;
}

function parseJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString());
  } catch {
    // Any bytes that are not JSON: the caller reports the record.
    return undefined;
  }
}
