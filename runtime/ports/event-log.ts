/** A topic that must exist, with the settings that its durability rests on. */
export interface TopicSpec {
  /** Letters, digits, `.`, `_` and `-`; at most 200 characters. */
  readonly name: string;
  readonly partitions: number;
  /** True: only the last record of each key is kept for ever (a tombstone removes the key); needs keys. */
  readonly compacted: boolean;
  /** How long records are kept, in ms; undefined keeps them for ever. Ignored for compacted topics. */
  readonly retentionMs?: number;
}

/** A topic as it exists. */
export interface TopicInfo {
  readonly name: string;
  /** Unique to this creation of the topic: a topic that is deleted and made again has another one. */
  readonly generation: string;
  readonly partitions: number;
}

/** What a producer appends. */
export interface NewRecord {
  readonly topic: string;
  /** Records with the same key go to the same partition, in the order of their append. Null: any partition. */
  readonly key: string | null;
  /** Null is a tombstone: in a compacted topic it removes the key. */
  readonly value: Uint8Array | null;
}

/** A record as it stands in the log. */
export interface LogRecord {
  readonly partition: number;
  /** Position in the partition; grows, but not by one everywhere (compaction leaves gaps). */
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: Uint8Array | null;
  /** When it was appended, in ms since the epoch. */
  readonly timestamp: number;
}

/** Where a partition begins and ends: `end` is the offset that the next record will have. */
export interface PartitionRange {
  readonly partition: number;
  readonly start: bigint;
  readonly end: bigint;
}

/** One delivery to a consumer: records of one partition, in order of offset, never empty. */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** Aborts when the partition is taken away from this consumer or the subscription closes. */
  readonly signal: AbortSignal;
  /**
   * Makes progress durable: after a restart or a rebalance delivery goes on at `nextOffset`. Nothing is ever
   * committed by itself. Rejects when the partition no longer belongs to this consumer.
   */
  commit(nextOffset: bigint): Promise<void>;
}

/** How a group member reads. */
export interface SubscribeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** At most this many records in a batch (default 500). */
  readonly maxRecords?: number;
  /**
   * How long records may gather for the next delivery behind one that was not full, in ms; by default hardly at
   * all. Who keeps records and answers nobody has less work with many at a time.
   */
  readonly gatherMs?: number;
  /**
   * Asked each time a partition is assigned, before its first delivery: the offset to start at, or undefined
   * for the committed one (and where none is committed, the start of the partition, never its end).
   */
  readonly onAssigned?: (topic: string, partition: number) => Promise<bigint | undefined>;
  /**
   * Handles one batch; batches of one partition come one after the other, of several perhaps at once. When it
   * rejects, the same records are delivered again after a pause; they are never skipped. Delivery goes on
   * behind the batch when it resolves, whether or not it committed.
   */
  readonly onBatch: (batch: RecordBatch) => Promise<void>;
  /** Told of a failed handler or a broken connection; delivery is tried again by itself. */
  readonly onError: (error: Error) => void;
}

/** A running group member. */
export interface Subscription {
  /** Stops delivery, waits for the handlers that run, and leaves the group. */
  close(): Promise<void>;
}

/** Reads one partition without a group: for rebuilding state, and for tools. */
export interface ReadOptions {
  readonly topic: string;
  readonly partition: number;
  /**
   * First offset wanted. An offset below the partition's start, or beyond its end, is an `invalid` error, never
   * a silent skip.
   */
  readonly from: bigint;
  readonly maxRecords: number;
}

/** A durable, partitioned, append-only log: Kafka, or its embedded twin. */
export interface EventLog {
  /**
   * Creates the topics that are absent and checks those that exist. Rejects with `invalid` when one exists with
   * fewer partitions or another clean-up policy than asked for.
   */
  ensureTopics(specs: readonly TopicSpec[]): Promise<readonly TopicInfo[]>;
  /**
   * Appends all records, in order; resolves when all of them are durable. On a rejection some may be in the log
   * all the same (`invalid`: none are), so a caller appends again and readers deduplicate by what they carry.
   */
  append(records: readonly NewRecord[]): Promise<void>;
  /** Joins a consumer group. Each partition is delivered to one member of the group at a time. */
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** Up to `maxRecords` records from `from` on; empty at the end of the partition. */
  read(options: ReadOptions): Promise<readonly LogRecord[]>;
  /** Start and end of each partition of a topic. Rejects with `invalid` when there is no such topic. */
  ranges(topic: string): Promise<readonly PartitionRange[]>;
  /** Committed offsets of a group, by partition; a partition without a commit is absent. */
  committed(group: string, topic: string): Promise<ReadonlyMap<number, bigint>>;
  /** Closes every subscription, then the connection. Calls after it reject with `closed`. */
  close(): Promise<void>;
}
