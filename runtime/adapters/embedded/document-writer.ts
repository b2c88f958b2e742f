import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import type { CollectionSpec, IndexSpec, StoredDocument } from '../../ports/document-store.ts';
import { textOf } from './connection.ts';
import type { Connection } from './connection.ts';
import { indexEntries } from './index-entries.ts';
import {
  collectionExists,
  createDocumentTable,
  createIndexTable,
  documentTable,
  indexTable,
  indexesOf,
} from './schema.ts';
import { InvalidRequest } from './thread-service.ts';
import type { IndexFields, WriteRequest } from './thread-protocol.ts';

type RequestOf<Op extends WriteRequest['op']> = Extract<WriteRequest, { op: Op }>;

interface IndexStatements {
  readonly fields: IndexFields;
  readonly add: StatementSync;
  readonly remove: StatementSync;
}

interface CollectionStatements {
  readonly insert: StatementSync;
  readonly store: StatementSync;
  readonly read: StatementSync;
  readonly remove: StatementSync;
  readonly indexes: readonly IndexStatements[];
}

/** The document store's side of the writer thread; runs within the writer's transaction. */
export class DocumentWriter {
  readonly #connection: Connection;
  readonly #collections = new Map<string, CollectionStatements>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Drops what is remembered of the catalogue, after a rollback. */
  forget(): void {
    this.#collections.clear();
  }

  /** Creates what is absent; an index that is new to a collection is filled from its documents. */
  ensureCollections(specs: readonly CollectionSpec[]): null {
    for (const { name, indexes } of specs) {
      if (!collectionExists(this.#connection, name)) {
        this.#connection.database.exec(createDocumentTable(name));
        this.#connection.statement('INSERT INTO collections VALUES (?)').run(name);
      }
      const existing = indexesOf(this.#connection, name);
      for (const index of indexes) this.#ensureIndex(name, index, existing.get(index.name));
      this.#collections.delete(name);
    }
    return null;
  }

  /** Places of the documents whose id exists; null when there are none. */
  insert({ collection, ids, bodies }: Omit<RequestOf<'insert'>, 'op'>): number[] | null {
    const { insert, indexes } = this.#collection(collection);
    let duplicates: number[] | null = null;
    bodies.forEach((body, place) => {
      const id = ids[place] ?? '';
      if (insert.run(id, body).changes === 0) (duplicates ??= []).push(place);
      else if (indexes.length > 0) addToIndexes(indexes, id, parseDocument(body));
    });
    return duplicates;
  }

  /** Stores a document in place of one with its id; false when that one is not as expected. */
  replace({ collection, id, body, expected }: RequestOf<'replace'>): boolean {
    const { read, store, indexes } = this.#collection(collection);
    const row = read.get(id);
    const stored = row === undefined ? undefined : parseDocument(textOf(row, 'body'));
    if (expected !== null && !isAsExpected(stored, expected)) return false;
    if (stored !== undefined) removeFromIndexes(indexes, id, stored);
    store.run(id, body);
    addToIndexes(indexes, id, parseDocument(body));
    return true;
  }

  remove({ collection, ids }: RequestOf<'remove'>): null {
    const { read, remove, indexes } = this.#collection(collection);
    for (const id of ids) {
      const row = read.get(id);
      if (row === undefined) continue;
      removeFromIndexes(indexes, id, parseDocument(textOf(row, 'body')));
      remove.run(id);
    }
    return null;
  }

  #ensureIndex(collection: string, { name, fields }: IndexSpec, existing: IndexFields | undefined): void {
    const wanted = JSON.stringify(fields.map(({ field, direction }) => ({ field, direction })));
    if (existing !== undefined) {
      if (JSON.stringify(existing) === wanted) return;
      throw new InvalidRequest(`index ${name} of ${collection} exists with other fields`);
    }
    this.#connection.database.exec(createIndexTable(collection, name, fields));
    this.#connection.statement('INSERT INTO indexes VALUES (?, ?, ?)').run(collection, name, wanted);
    this.#fillIndex(collection, this.#indexStatements(collection, name, fields));
  }

  #fillIndex(collection: string, index: IndexStatements): void {
    const bodies = this.#connection.statement(`SELECT body FROM ${documentTable(collection)}`).iterate();
    for (const row of bodies) {
      const document = parseDocument(textOf(row, 'body'));
      addToIndexes([index], document._id, document);
    }
  }

  #collection(name: string): CollectionStatements {
    const known = this.#collections.get(name);
    if (known !== undefined) return known;
    const indexes = [...indexesOf(this.#connection, name)].map(([index, fields]) =>
      this.#indexStatements(name, index, fields),
    );
    const table = documentTable(name);
    const statements = {
      insert: this.#connection.statement(`INSERT INTO ${table} VALUES (?, ?) ON CONFLICT DO NOTHING`),
      store: this.#connection.statement(
        `INSERT INTO ${table} VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body`,
      ),
      read: this.#connection.statement(`SELECT body FROM ${table} WHERE id = ?`),
      remove: this.#connection.statement(`DELETE FROM ${table} WHERE id = ?`),
      indexes,
    };
    this.#collections.set(name, statements);
    return statements;
  }

  #indexStatements(collection: string, index: string, fields: IndexFields): IndexStatements {
    const table = indexTable(collection, index);
    const matches = fields.map((_, place) => `f${place} = ? AND `).join('');
    return {
      fields,
      add: this.#connection.statement(`INSERT INTO ${table} VALUES (${'?, '.repeat(fields.length)}?)`),
      remove: this.#connection.statement(`DELETE FROM ${table} WHERE ${matches}id = ?`),
    };
  }
}

function addToIndexes(indexes: readonly IndexStatements[], id: string, document: StoredDocument): void {
  for (const { fields, add } of indexes) {
    for (const entry of indexEntries(document, fields)) add.run(...entry, id);
  }
}

function removeFromIndexes(indexes: readonly IndexStatements[], id: string, document: StoredDocument): void {
  for (const { fields, remove } of indexes) {
    for (const entry of indexEntries(document, fields)) remove.run(...entry, id);
  }
}

function isAsExpected(
  stored: StoredDocument | undefined,
  expected: Readonly<Record<string, SQLOutputValue>>,
): boolean {
  if (stored === undefined) return false;
  return Object.entries(expected).every(([field, value]) => stored[field] === value);
}

function parseDocument(body: string): StoredDocument {
  // Written by JSON.stringify of a StoredDocument.
  return JSON.parse(body) as StoredDocument;
}
