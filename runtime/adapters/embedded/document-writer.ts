import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import type { CollectionSpec, IndexSpec, StoredDocument } from '../../ports/document-store.ts';
import { integerOf, textOf } from './connection.ts';
import type { Connection } from './connection.ts';
import { collectionExists, createDocumentTable, documentTable, indexesOf } from './schema.ts';
import { InvalidRequest } from './thread-service.ts';
import type { IndexFields, WriteRequest } from './thread-protocol.ts';

type RequestOf<Op extends WriteRequest['op']> = Extract<WriteRequest, { op: Op }>;

interface Collection {
  readonly name: string;
  readonly insert: StatementSync;
  readonly read: StatementSync;
  readonly remove: StatementSync;
  /** The seq of the next version. */
  next: number;
}

/** A version that is gone is remembered this long, in versions: its index entries join nothing even without that. */
const GONE_KEPT = 10_000;

/**
 * The document store's side of the writer thread; runs within the writer's transaction. It keeps no index: the
 * reader thread does, from what is written here (index-keeper.ts).
 */
export class DocumentWriter {
  readonly #connection: Connection;
  readonly #collections = new Map<string, Collection>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Drops what is remembered of the database, after a rollback. */
  forget(): void {
    this.#collections.clear();
  }

  /** Creates what is absent. */
  ensureCollections(specs: readonly CollectionSpec[]): null {
    for (const { name, indexes } of specs) {
      if (!collectionExists(this.#connection, name)) {
        this.#connection.database.exec(createDocumentTable(name));
        this.#connection.statement('INSERT INTO collections VALUES (?, 1)').run(name);
      }
      const existing = indexesOf(this.#connection, name);
      for (const index of indexes) this.#ensureIndex(name, index, existing.get(index.name));
    }
    return null;
  }

  /** Places of the documents whose id exists; null when there are none. */
  insert({ collection: name, ids, bodies }: Omit<RequestOf<'insert'>, 'op'>): number[] | null {
    const collection = this.#collection(name);
    let duplicates: number[] | null = null;
    bodies.forEach((body, place) => {
      if (collection.insert.run(collection.next, ids[place] ?? '', body).changes === 0) {
        (duplicates ??= []).push(place);
      } else {
        collection.next += 1;
      }
    });
    return duplicates;
  }

  /** Stores a document in place of one with its id; false when that one is not as expected. */
  replace({ collection: name, id, body, expected }: RequestOf<'replace'>): boolean {
    const collection = this.#collection(name);
    if (expected !== null && !isAsExpected(collection.read.get(id), expected)) return false;
    this.#remove(collection, [id]);
    collection.insert.run(collection.next, id, body);
    collection.next += 1;
    return true;
  }

  remove({ collection, ids }: RequestOf<'remove'>): null {
    this.#remove(this.#collection(collection), ids);
    return null;
  }

  #remove({ name, read, remove, next }: Collection, ids: readonly string[]): void {
    const remember = this.#connection.statement('INSERT INTO gone VALUES (NULL, ?, ?, ?)');
    let last: number | bigint = 0;
    for (const id of ids) {
      const row = read.get(id);
      if (row === undefined) continue;
      last = remember.run(name, integerOf(row, 'seq'), textOf(row, 'body')).lastInsertRowid;
      remove.run(id);
    }
    if (last === 0) return;
    // A seq is never used twice, even if it was the highest one.
    this.#connection.statement('UPDATE collections SET next = ? WHERE name = ?').run(next, name);
    this.#connection.statement('DELETE FROM gone WHERE place <= ?').run(Number(last) - GONE_KEPT);
  }

  #ensureIndex(collection: string, { name, fields }: IndexSpec, existing: IndexFields | undefined): void {
    const wanted = JSON.stringify(fields.map(({ field, direction }) => ({ field, direction })));
    if (existing === undefined) {
      this.#connection.statement('INSERT INTO indexes VALUES (?, ?, ?)').run(collection, name, wanted);
    } else if (JSON.stringify(existing) !== wanted) {
      throw new InvalidRequest(`index ${name} of ${collection} exists with other fields`);
    }
  }

  #collection(name: string): Collection {
    const known = this.#collections.get(name);
    if (known !== undefined) return known;
    if (!collectionExists(this.#connection, name)) {
      throw new InvalidRequest(`there is no collection ${name}`);
    }
    const table = documentTable(name);
    const row = this.#connection
      .statement(
        `SELECT max(next, ifnull((SELECT max(seq) FROM ${table}), 0) + 1) AS next FROM collections WHERE name = ?`,
      )
      .get(name);
    const collection = {
      name,
      insert: this.#connection.statement(`INSERT INTO ${table} VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`),
      read: this.#connection.statement(`SELECT seq, body FROM ${table} WHERE id = ?`),
      remove: this.#connection.statement(`DELETE FROM ${table} WHERE id = ?`),
      next: row === undefined ? 1 : integerOf(row, 'next'),
    };
    this.#collections.set(name, collection);
    return collection;
  }
}

function isAsExpected(
  row: Readonly<Record<string, SQLOutputValue>> | undefined,
  expected: Readonly<Record<string, SQLOutputValue>>,
): boolean {
  if (row === undefined) return false;
  // Written by JSON.stringify of a StoredDocument.
  const stored = JSON.parse(textOf(row, 'body')) as StoredDocument;
  return Object.entries(expected).every(([field, value]) => stored[field] === value);
}
