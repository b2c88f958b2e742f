import type { SQLInputValue, StatementSync } from 'node:sqlite';
import type { IndexValue, StoredDocument } from '../../ports/document-store.ts';
import { PortError } from '../../ports/port-error.ts';
import { integerOf, textOf } from './connection.ts';
import type { Connection, Row } from './connection.ts';
import { indexEntries } from './index-entries.ts';
import { createIndexTable, documentTable, indexTable } from './schema.ts';
import type { IndexFields } from './thread-protocol.ts';

interface Index {
  readonly collection: string;
  readonly name: string;
  readonly fields: IndexFields;
  readonly add: StatementSync;
  readonly remove: StatementSync;
  /** The seq up to which the collection's documents are in the index. */
  through: number;
  /** The place in `gone` up to which old versions have been taken out. */
  gone: number;
}

/** Documents that one step takes in: about 30 ms. */
const STEP = 2_000;
/** A query brings its index up to date by itself, but for this many steps at most. */
const MAX_STEPS = 10;

/**
 * Keeps the indexes of the documents, in the reader thread and in a file of their own. They are derived data: a
 * query first takes in what was written since the last time, and a tick does so while there are no queries. So a
 * write costs no random page of an index, and its commit waits for none; many are taken in together, in order,
 * without an fsync. What a crash takes is derived again from the documents.
 */
export class IndexKeeper {
  readonly #connection: Connection;
  readonly #indexes = new Map<string, Index>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Brings an index up to date. Throws `unavailable` when that takes too long for a query: the index is new to a
   * large collection, and being filled.
   */
  catchUp(collection: string, name: string, fields: IndexFields): void {
    const index = this.#index(collection, name, fields);
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      if (this.#step(index)) return;
    }
    throw new PortError(
      'unavailable',
      'document-store.find',
      `index ${name} of ${collection} is being filled`,
    );
  }

  /** Takes an index one step further; resolves to whether it is up to date. */
  step(collection: string, name: string, fields: IndexFields): boolean {
    return this.#step(this.#index(collection, name, fields));
  }

  /** Drops what is remembered, after a rollback. */
  forget(): void {
    this.#indexes.clear();
  }

  #step(index: Index): boolean {
    const { collection, name, fields, add } = index;
    const rows = this.#connection
      .statement(
        `SELECT seq, body FROM ${documentTable(collection)} WHERE seq > ? ORDER BY seq LIMIT ${STEP}`,
      )
      .all(index.through);
    const entries = rows.flatMap((row) => entriesOf(row, fields));
    // Neighbours in the index share pages.
    entries.sort(byFirstValue);
    for (const entry of entries) add.run(...entry);
    const last = rows.at(-1);
    const removed = this.#removeGone(index);
    if (last === undefined && !removed) return true;
    if (last !== undefined) index.through = integerOf(last, 'seq');
    this.#connection
      .statement('INSERT OR REPLACE INTO indexed VALUES (?, ?, ?, ?)')
      .run(collection, name, index.through, index.gone);
    return rows.length < STEP;
  }

  /** Takes out the entries of versions that were replaced or removed; returns whether there were any. */
  #removeGone(index: Index): boolean {
    const rows = this.#connection
      .statement('SELECT place, collection, seq, body FROM gone WHERE place > ? ORDER BY place')
      .all(index.gone);
    for (const row of rows) {
      index.gone = integerOf(row, 'place');
      if (textOf(row, 'collection') !== index.collection) continue;
      for (const entry of entriesOf(row, index.fields)) index.remove.run(...entry);
    }
    return rows.length > 0;
  }

  #index(collection: string, name: string, fields: IndexFields): Index {
    const key = `${collection}.${name}`;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#connection.database.exec(createIndexTable(collection, name, fields));
    const reached = this.#connection
      .statement('SELECT through, gone FROM indexed WHERE collection = ? AND name = ?')
      .get(collection, name);
    const table = indexTable(collection, name);
    const matches = fields.map((_, place) => `f${place} = ? AND `).join('');
    const index = {
      collection,
      name,
      fields,
      add: this.#connection.statement(
        `INSERT OR REPLACE INTO ${table} VALUES (${'?, '.repeat(fields.length)}?, ?)`,
      ),
      remove: this.#connection.statement(`DELETE FROM ${table} WHERE ${matches}id = ? AND seq = ?`),
      through: reached === undefined ? 0 : integerOf(reached, 'through'),
      gone: reached === undefined ? 0 : integerOf(reached, 'gone'),
    };
    this.#indexes.set(key, index);
    return index;
  }
}

/** The rows of an index for one version of a document: values, id, seq. */
function entriesOf(row: Row, fields: IndexFields): IndexValue[][] {
  // Written by JSON.stringify of a StoredDocument.
  const document = JSON.parse(textOf(row, 'body')) as StoredDocument;
  const seq = integerOf(row, 'seq');
  return indexEntries(document, fields).map((values) => [...values, document._id, seq]);
}

function byFirstValue([a]: readonly SQLInputValue[], [b]: readonly SQLInputValue[]): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : Number(a > b);
  return 0;
}
