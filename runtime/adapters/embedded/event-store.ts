import type { InsertResult } from '../../ports/document-store.ts';
import type { EventStore, NewEvent } from '../../ports/event-store.ts';
import type { EmbeddedDatabase } from './database.ts';
import { bytesOf, encodeDocument } from './document-check.ts';
import { checkRecord } from './log-check.ts';
import { packAppend } from './record-pack.ts';

/** Documents and records in one transaction: one fsync for both, and never one without the other. */
export class EmbeddedEventStore implements EventStore {
  readonly atomic = true;
  readonly #database: EmbeddedDatabase;
  readonly #now: () => number;

  /** `now` stamps records, in ms since the epoch. */
  constructor(database: EmbeddedDatabase, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
  }

  async insertAndAppend(collection: string, events: readonly NewEvent[]): Promise<readonly InsertResult[]> {
    const call = 'event-store.insertAndAppend';
    if (events.length === 0) return [];
    const bodies = events.map(({ document }) => encodeDocument(call, document));
    const ids = events.map(({ document }) => document._id);
    const records = events.flatMap(({ record }) => record ?? []);
    for (const record of records) checkRecord(call, record);
    const recordOf = places(events);
    const { topics, payload } = packAppend(records);
    const payloadBytes = payload.byteLength;
    const duplicates = await this.#database.write(
      call,
      { op: 'store', collection, ids, bodies, recordOf, topics, payloadBytes, at: this.#now() },
      { items: events.length + records.length, bytes: bytesOf(bodies) + payloadBytes, payload },
    );
    const results: InsertResult[] = events.map(() => 'inserted');
    for (const place of duplicates ?? []) results[place] = 'duplicate';
    return results;
  }
}

/** For each record, the place of its document; null when every document has one. */
function places(events: readonly NewEvent[]): readonly number[] | null {
  if (events.every(({ record }) => record !== undefined)) return null;
  return events.flatMap(({ record }, place) => (record === undefined ? [] : [place]));
}
