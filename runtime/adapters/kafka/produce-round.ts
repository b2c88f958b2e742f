import type { TopicMetadata } from './metadata-codec.ts';
import type { PackedRecord, PendingAppend } from './pending-append.ts';
import { BATCH_OVERHEAD, recordSize } from './record-batch.ts';

/** Limits of what is sent at a time. */
export interface RoundLimits {
  /** A batch with more than one record stays below it: brokers take 1 MB by default. */
  readonly maxBatchBytes: number;
  readonly maxBatchRecords: number;
  readonly maxBytes: number;
}

/** Records for one partition, in order; those of one append stand together. */
export interface RoundBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bodies: Buffer[];
  readonly shares: { readonly append: PendingAppend; count: number }[];
  bytes: number;
}

/** So many records without a key go to one partition before the next one has its turn. */
const RECORDS_A_TURN = 100;

/** Places records without a key: in turn over the partitions that have a leader. */
export class KeylessTurns {
  readonly #turns = new Map<string, { place: number; left: number }>();

  next({ name, partitions }: TopicMetadata): number {
    const led = partitions.filter(({ leader }) => leader >= 0);
    const among = led.length > 0 ? led : partitions;
    const turn = this.#turns.get(name) ?? { place: 0, left: RECORDS_A_TURN };
    this.#turns.set(name, turn);
    if (turn.left === 0) this.#advance(turn);
    turn.left -= 1;
    return among[turn.place % among.length]?.partition ?? 0;
  }

  /** A batch has been closed: what comes next goes to the next partition. */
  turn(): void {
    for (const turn of this.#turns.values()) if (turn.left < RECORDS_A_TURN) this.#advance(turn);
  }

  #advance(turn: { place: number; left: number }): void {
    turn.place += 1;
    turn.left = RECORDS_A_TURN;
  }
}

/**
 * Puts records of the appends, in their order, into one batch for each partition, until one of them is full: what
 * comes behind waits for the next round, so that the order holds. Appends that are settled are passed over.
 */
export function fillRound(
  appends: readonly PendingAppend[],
  topics: ReadonlyMap<string, TopicMetadata>,
  turns: KeylessTurns,
  limits: RoundLimits,
): RoundBatch[] {
  const batches = new Map<string, RoundBatch>();
  let bytes = 0;
  for (const append of appends) {
    if (append.isSettled) continue;
    for (; append.next < append.records.length; append.next++) {
      const record = append.records[append.next];
      const topic = record === undefined ? undefined : topics.get(record.topic);
      if (record === undefined || topic === undefined) return finish(batches, turns);
      const batch = batchFor(batches, topic, partitionOf(record, topic, turns));
      const size = recordSize(record.body, batch.bodies.length);
      if (isFull(batch, size, limits) || (bytes > 0 && bytes + size > limits.maxBytes))
        return finish(batches, turns);
      bytes += size;
      put(batch, append, record.body, size);
    }
  }
  return finish(batches, turns);
}

function finish(batches: ReadonlyMap<string, RoundBatch>, turns: KeylessTurns): RoundBatch[] {
  turns.turn();
  return [...batches.values()].filter(({ bodies }) => bodies.length > 0);
}

function partitionOf({ keyHash }: PackedRecord, topic: TopicMetadata, turns: KeylessTurns): number {
  return keyHash === undefined ? turns.next(topic) : keyHash % topic.partitions.length;
}

function batchFor(batches: Map<string, RoundBatch>, { name }: TopicMetadata, partition: number): RoundBatch {
  const key = `${name} ${partition}`;
  const known = batches.get(key);
  if (known !== undefined) return known;
  const made: RoundBatch = { topic: name, partition, bodies: [], shares: [], bytes: BATCH_OVERHEAD };
  batches.set(key, made);
  return made;
}

function isFull({ bodies, bytes }: RoundBatch, size: number, limits: RoundLimits): boolean {
  if (bodies.length === 0) return false;
  return bytes + size > limits.maxBatchBytes || bodies.length >= limits.maxBatchRecords;
}

function put(batch: RoundBatch, append: PendingAppend, body: Buffer, size: number): void {
  batch.bodies.push(body);
  batch.bytes += size;
  const last = batch.shares.at(-1);
  if (last?.append === append) last.count += 1;
  else batch.shares.push({ append, count: 1 });
}

/** The same records, a batch for each append, in their order. */
export function splitByAppend(batch: RoundBatch): RoundBatch[] {
  let from = 0;
  return batch.shares.map((share) => {
    const bodies = batch.bodies.slice(from, from + share.count);
    from += share.count;
    const { topic, partition } = batch;
    return { topic, partition, bodies, shares: [{ ...share }], bytes: 0 };
  });
}
