import { bytesOf, integerOf } from './connection.ts';
import type { Connection, Row } from './connection.ts';
import { packStored, storedBytes } from './record-pack.ts';
import type { StoredRecord } from './record-pack.ts';
import { partitionTable, topicNamed } from './schema.ts';
import { InvalidRequest } from './thread-service.ts';
import type { ReadAnswers, ReadRequest } from './thread-protocol.ts';

type RequestOf<Op extends ReadRequest['op']> = Extract<ReadRequest, { op: Op }>;

/** An answer holds at least one record, and no more once it is this large. */
const ANSWER_BYTES = 4 * 1024 * 1024;

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
    const sql = `SELECT offset, key, value, at FROM ${table} WHERE offset >= ? ORDER BY offset LIMIT ?`;
    for (const row of this.#connection.statement(sql).iterate(from, maxRecords)) {
      const record = storedRecord(row);
      bytes += storedBytes(record);
      if (records.length > 0 && bytes > ANSWER_BYTES) break;
      records.push(record);
    }
    return packStored(records);
  }
}

function storedRecord(row: Row): StoredRecord {
  return {
    offset: integerOf(row, 'offset'),
    at: integerOf(row, 'at'),
    key: bytesOf(row, 'key'),
    value: bytesOf(row, 'value'),
  };
}
