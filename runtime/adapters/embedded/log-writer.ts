import { randomUUID } from 'node:crypto';
import type { StatementSync } from 'node:sqlite';
import type { TopicSpec } from '../../ports/event-log.ts';
import { integerOf } from './connection.ts';
import type { Connection } from './connection.ts';
import { partitionOf } from '../murmur2.ts';
import { unpackAppend } from './record-pack.ts';
import type { PackedRecord } from './record-pack.ts';
import { createPartitionTables, partitionTable, topicNamed } from './schema.ts';
import { InvalidRequest } from './thread-service.ts';
import type { Advance, TopicRow, WriteRequest } from './thread-protocol.ts';

type RequestOf<Op extends WriteRequest['op']> = Extract<WriteRequest, { op: Op }>;

interface Partition {
  readonly topicId: number;
  readonly partition: number;
  readonly insert: StatementSync;
  next: number;
}

interface Topic {
  readonly row: TopicRow;
  readonly partitions: (Partition | undefined)[];
  /** Where the next append without keys goes. */
  turn: number;
}

/** The event log's side of the writer thread; runs within the writer's transaction. */
export class LogWriter {
  readonly #connection: Connection;
  readonly #topics = new Map<string, Topic>();
  /** Longer than the database says, until `storeEnds`. */
  readonly #touched = new Set<Partition>();
  /** By table; only the last end of each partition is told. */
  readonly #advanced = new Map<string, Advance>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Drops what is remembered of the database, after a rollback. */
  forget(): void {
    this.#topics.clear();
    this.#touched.clear();
  }

  /** Creates the topics that are absent and checks the others. */
  ensureTopics(specs: readonly TopicSpec[]): TopicRow[] {
    return specs.map((spec) => {
      const select = this.#connection.statement('SELECT 1 FROM topics WHERE name = ?');
      if (select.get(spec.name) === undefined) this.#createTopic(spec);
      else this.#checkTopic(spec, topicNamed(this.#connection, spec.name));
      return topicNamed(this.#connection, spec.name);
    });
  }

  /** Appends packed records but those to skip. Those without a key all go to the partition whose turn it is. */
  append(
    { topics: names, at }: Pick<RequestOf<'append'>, 'topics' | 'at'>,
    payload: Uint8Array,
    skip: ReadonlySet<number>,
  ): null {
    const topics = names.map((name) => this.#topic(name));
    for (const topic of topics) topic.turn = (topic.turn + 1) % topic.row.partitions;
    let place = -1;
    for (const record of unpackAppend(payload)) {
      place += 1;
      if (skip.has(place)) continue;
      const topic = topics[record.topic];
      if (topic === undefined) throw new InvalidRequest('the record names no topic');
      this.#appendOne(topic, record, at);
    }
    return null;
  }

  commitOffset({ group, topic, partition, offset }: RequestOf<'commitOffset'>): null {
    const { row } = this.#topic(topic);
    this.#connection
      .statement('INSERT OR REPLACE INTO committed VALUES (?, ?, ?, ?)')
      .run(group, row.id, partition, offset);
    return null;
  }

  /** Stores the new ends of partitions; the last thing before a commit, or before a savepoint is released. */
  storeEnds(): void {
    const update = this.#connection.statement(
      'UPDATE partitions SET next = ? WHERE topic = ? AND partition = ?',
    );
    for (const { topicId, partition, next } of this.#touched) {
      update.run(next, topicId, partition);
      this.#advanced.set(partitionTable(topicId, partition), { topicId, partition, end: next });
    }
    this.#touched.clear();
  }

  /** Which partitions have become longer since this was asked last; to be dropped after a rollback. */
  takeAdvanced(): Advance[] {
    const advanced = [...this.#advanced.values()];
    this.#advanced.clear();
    return advanced;
  }

  #appendOne({ row, partitions, turn }: Topic, { key, value }: PackedRecord, at: number): void {
    if (row.compacted && key === null)
      throw new InvalidRequest(`topic ${row.name} is compacted: keys needed`);
    const number = key === null ? turn : partitionOf(key, row.partitions);
    const partition = (partitions[number] ??= this.#partition(row, number));
    partition.insert.run(partition.next, key, value, at);
    partition.next += 1;
    this.#touched.add(partition);
  }

  #topic(name: string): Topic {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic: Topic = { row: topicNamed(this.#connection, name), partitions: [], turn: 0 };
    this.#topics.set(name, topic);
    return topic;
  }

  #partition({ id, compacted }: TopicRow, partition: number): Partition {
    const row = this.#connection
      .statement('SELECT next FROM partitions WHERE topic = ? AND partition = ?')
      .get(id, partition);
    if (row === undefined) throw new Error(`partition ${partition} of topic ${id} is not in the catalogue`);
    // In a compacted topic the unique index on keys makes the new record take the old one's place.
    const verb = compacted ? 'INSERT OR REPLACE' : 'INSERT';
    const insert = this.#connection.statement(
      `${verb} INTO ${partitionTable(id, partition)} VALUES (?, ?, ?, ?)`,
    );
    return { topicId: id, partition, insert, next: integerOf(row, 'next') };
  }

  #createTopic({ name, partitions, compacted, retentionMs }: TopicSpec): void {
    const { lastInsertRowid } = this.#connection
      .statement('INSERT INTO topics VALUES (NULL, ?, ?, ?, ?, ?)')
      .run(name, randomUUID(), partitions, compacted ? 1 : 0, compacted ? null : (retentionMs ?? null));
    const id = Number(lastInsertRowid);
    for (let partition = 0; partition < partitions; partition++) {
      for (const sql of createPartitionTables(id, partition, compacted)) this.#connection.database.exec(sql);
      this.#connection.statement('INSERT INTO partitions VALUES (?, ?, 0, 0)').run(id, partition);
    }
  }

  #checkTopic({ name, partitions, compacted, retentionMs }: TopicSpec, row: TopicRow): void {
    if (row.partitions < partitions) {
      throw new InvalidRequest(`topic ${name} has ${row.partitions} partitions, not ${partitions}`);
    }
    if (row.compacted !== compacted) {
      throw new InvalidRequest(`topic ${name} is ${row.compacted ? '' : 'not '}compacted`);
    }
    // There is no other tool to change how long an embedded topic keeps its records.
    this.#connection
      .statement('UPDATE topics SET retention_ms = ? WHERE id = ?')
      .run(compacted ? null : (retentionMs ?? null), row.id);
  }
}
