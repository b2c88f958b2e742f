import { type ArchiveBucket, lastObject } from '../../archive/chain-end.ts';
import { type ObjectFacts, parseMetadata } from '../../archive/object-facts.ts';
import { type Chain, objectKey } from '../../archive/object-key.ts';
import type { EventLog, PartitionRange } from '../../ports/event-log.ts';

/** Why a partition cannot be archived before somebody mends it. */
export type StopReason =
  /** The log lost records before they were archived. */
  | 'records-lost'
  /** The log ends before the archive does. */
  | 'log-behind'
  /** The log holds another record than was archived. */
  | 'other-log'
  /** The last object does not say what it holds. */
  | 'object-unknown';

/** A partition stands still: going on would leave a gap, or archive an offset twice. */
export class PartitionStopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason, message: string) {
    super(message);
    this.name = 'PartitionStopped';
    this.reason = reason;
  }
}

/** What resuming is decided on. */
export interface ResumeFacts {
  readonly chain: Chain;
  readonly bucket: string;
  /** The chain's last object; undefined when there is none. */
  readonly last: ObjectFacts | undefined;
  /** The partition as it is in the log. */
  readonly range: PartitionRange;
  /** Timestamp of the last archived record, in the log; undefined when the log does not have it any more. */
  readonly timestampInLog: number | undefined;
}

/** Finds out at which offset a partition is to be archived further. Rejects with PartitionStopped when at none. */
export async function findResume(log: EventLog, archive: ArchiveBucket, chain: Chain): Promise<bigint> {
  const hint = (await rangeOf(log, chain)).end;
  const begin = await lastObject(archive, chain, hint);
  const last = begin === undefined ? undefined : await factsAt(archive, chain, begin);
  // Again, because another archiver may have gone on meanwhile: the log is never behind what was archived before.
  const range = await rangeOf(log, chain);
  const timestampInLog = await timestampOf(log, { chain, last, range });
  return resumePoint({ chain, bucket: archive.bucket, last, range, timestampInLog });
}

/** The decision itself. Throws PartitionStopped. */
export function resumePoint({ chain, bucket, last, range, timestampInLog }: ResumeFacts): bigint {
  const from = last?.next ?? 0n;
  const { topic, partition } = chain;
  const where = `partition ${partition} of ${topic}`;
  if (range.end < from) {
    throw new PartitionStopped(
      'log-behind',
      `${where} ends at offset ${range.end}, but the archive has it up to ${from}: restore log and archive from ` +
        'one backup, or delete the topic and let it be made again, which begins a new chain',
    );
  }
  if (timestampInLog !== undefined && timestampInLog !== last?.content?.lastTimestamp) {
    throw new PartitionStopped(
      'other-log',
      `${where} holds another record at offset ${from - 1n} than was archived: restore log and archive from one ` +
        'backup, or delete the topic and let it be made again, which begins a new chain',
    );
  }
  if (range.start > from) {
    throw new PartitionStopped(
      'records-lost',
      `${where} begins at offset ${range.start}, but the archive has it up to ${from} only: restore the log, or ` +
        `declare the records between lost with an empty object ${bucket}/${objectKey(chain, from)} that has the ` +
        `metadata from=${from}, next=${range.start}, count=0`,
    );
  }
  return from;
}

/** What an object says of itself. Rejects with PartitionStopped when that cannot be read. */
export async function factsAt(
  { objects, bucket }: ArchiveBucket,
  chain: Chain,
  from: bigint,
): Promise<ObjectFacts> {
  const key = objectKey(chain, from);
  const head = await objects.head(bucket, key);
  if (head === undefined) throw new Error(`${bucket}/${key} was there and is gone`);
  const parsed = parseMetadata(head.metadata);
  const fault = parsed.ok ? nameFault(parsed.facts, from) : parsed.fault;
  if (parsed.ok && fault === undefined) return parsed.facts;
  throw new PartitionStopped(
    'object-unknown',
    `the last object ${bucket}/${key} does not say what it holds (${String(fault)}): put it there as it was, or ` +
      'remove it while the log still has its records',
  );
}

function nameFault(facts: ObjectFacts, from: bigint): string | undefined {
  return facts.from === from ? undefined : `it begins at offset ${facts.from}`;
}

async function rangeOf(log: EventLog, { topic, partition }: Chain): Promise<PartitionRange> {
  const range = (await log.ranges(topic)).find((each) => each.partition === partition);
  if (range === undefined) throw new Error(`the log has no partition ${partition} of ${topic}`);
  return range;
}

/** When the log says that the last archived record was appended. */
async function timestampOf(
  log: EventLog,
  { chain, last, range }: Pick<ResumeFacts, 'chain' | 'last' | 'range'>,
): Promise<number | undefined> {
  const offset = last?.content?.last;
  if (offset === undefined || offset < range.start || offset >= range.end) return undefined;
  const { topic, partition } = chain;
  const [record] = await log.read({ topic, partition, from: offset, maxRecords: 1 });
  return record?.offset === offset ? record.timestamp : undefined;
}
