import { integerOf } from './connection.ts';
import type { Connection } from './connection.ts';
import { packStored, storedBytes } from './record-pack.ts';
import type { StoredRecord } from './record-pack.ts';
import { partitionTable, topicNamed } from './schema.ts';
import { InvalidRequest } from './thread-service.ts';
import type { ReadAnswers, ReadRequest } from './thread-protocol.ts';

type RequestOf<Op extends ReadRequest['op']> = Extract<ReadRequest, { op: Op }>;

/** An answer holds at least one record, and no more once it is this large. */
const ANSWER_BYTES = 4 * 1024 * 1024;
/** Rows in memory at a time: few at first, because they may be large, and more while they turn out small. */
const FIRST_PAGE = 16;
const MAX_PAGE = 128;

/** Columns of a page. */
type StoredRow = [
  offset: number,
  at: number,
  keyBytes: number | null,
  valueBytes: number | null,
  content: Uint8Array,
];

/** The event log's side of the reader thread; runs within one read transaction per request. */
export class LogReader {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Records from an offset on. An offset outside of the partition is refused: records would be skipped. */
  records({ topic, partition, from, maxRecords }: RequestOf<'records'>): ReadAnswers['records'] {
    const { id } = topicNamed(this.#connection, topic);
    const range = this.#connection
      .statement('SELECT first, next FROM partitions WHERE topic = ? AND partition = ?')
      .get(id, partition);
    if (range === undefined) throw new InvalidRequest(`topic ${topic} has no partition ${partition}`);
    const first = integerOf(range, 'first');
    const next = integerOf(range, 'next');
    if (from < first || from > next) {
      const place = `partition ${partition} of topic ${topic}`;
      throw new InvalidRequest(`offset ${from} is out of range: ${place} has ${first} to ${next}`);
    }
    return { pack: this.#pack(partitionTable(id, partition), from, maxRecords), end: next };
  }

  ranges({ topic }: RequestOf<'ranges'>): ReadAnswers['ranges'] {
    const { id } = topicNamed(this.#connection, topic);
    return this.#connection
      .statement('SELECT partition, first, next FROM partitions WHERE topic = ? ORDER BY partition')
      .all(id)
      .map((row) => ({
        partition: integerOf(row, 'partition'),
        start: integerOf(row, 'first'),
        end: integerOf(row, 'next'),
      }));
  }

  committed({ group, topic }: RequestOf<'committed'>): ReadAnswers['committed'] {
    const { id } = topicNamed(this.#connection, topic);
    return this.#connection
      .statement('SELECT partition, next FROM committed WHERE consumers = ? AND topic = ? ORDER BY partition')
      .all(group, id)
      .map((row) => ({ partition: integerOf(row, 'partition'), offset: integerOf(row, 'next') }));
  }

  #pack(table: string, from: number, maxRecords: number): Uint8Array<ArrayBuffer> {
    const records: StoredRecord[] = [];
    let bytes = 0;
    let page = FIRST_PAGE;
    let next = from;
    while (records.length < maxRecords && bytes <= ANSWER_BYTES) {
      const limit = Math.min(page, maxRecords - records.length);
      const found = this.#page(table, next, limit);
      for (const record of found) {
        bytes += storedBytes(record);
        if (records.length > 0 && bytes > ANSWER_BYTES) break;
        records.push(record);
        next = record.offset + 1;
      }
      if (found.length < limit) break;
      page = Math.min(2 * page, MAX_PAGE);
    }
    return packStored(records);
  }

  /** In arrays, with key and value in one: a third of what rows with names and two blobs take. */
  #page(table: string, from: number, limit: number): StoredRecord[] {
    const statement = this.#connection.statement(
      "SELECT offset, at, length(key), length(value), CAST(coalesce(key, x'') || coalesce(value, x'') AS BLOB) " +
        `FROM ${table} WHERE offset >= ? ORDER BY offset LIMIT ?`,
    );
    statement.setReturnArrays(true);
    // The typings know rows with names only.
    const rows = statement.all(from, limit) as unknown as StoredRow[];
    return rows.map(([offset, at, keyBytes, valueBytes, content]) => ({
      offset,
      at,
      keyBytes,
      valueBytes,
      content,
    }));
  }
}
