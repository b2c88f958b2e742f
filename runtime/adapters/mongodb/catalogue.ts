import { type Db, type IndexDescriptionInfo, MongoServerError } from 'mongodb';
import type { CollectionSpec, IndexField, StoredDocument } from '../../ports/document-store.ts';
import { PortError } from '../../ports/port-error.ts';

/** Fields of the indexes of a collection, by name. */
export type Indexes = ReadonlyMap<string, readonly IndexField[]>;

const NAMESPACE_NOT_FOUND = 26;

/** Which collections and indexes there are; what is not known yet is asked for once. */
export class Catalogue {
  readonly #collections = new Map<string, Indexes>();

  /** Takes note of what has been ensured. */
  add({ name, indexes }: CollectionSpec): void {
    const known = this.#collections.get(name) ?? [];
    this.#collections.set(
      name,
      new Map([...known, ...indexes.map(({ name: index, fields }) => [index, fields] as const)]),
    );
  }

  /** Indexes of a collection, if they are known. */
  known(collection: string): Indexes | undefined {
    return this.#collections.get(collection);
  }

  /** Indexes of a collection; `invalid` where there is none. */
  async indexesOf(call: string, database: Db, collection: string): Promise<Indexes> {
    return this.#collections.get(collection) ?? this.#load(call, database, collection);
  }

  /** Fields of an index, which another process may just have added; `invalid` where there is none. */
  async fieldsOf(
    call: string,
    database: Db,
    [collection, index]: readonly [string, string],
  ): Promise<readonly IndexField[]> {
    const known = this.#collections.get(collection)?.get(index);
    const fields = known ?? (await this.#load(call, database, collection)).get(index);
    if (fields !== undefined) return fields;
    throw new PortError('invalid', call, `collection ${collection} has no index ${index}`);
  }

  async #load(call: string, database: Db, collection: string): Promise<Indexes> {
    try {
      const found = await database.collection(collection).listIndexes().toArray();
      const indexes = new Map(found.map(({ name = '', key }: IndexDescriptionInfo) => [name, fieldsIn(key)]));
      this.#collections.set(collection, indexes);
      return indexes;
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== NAMESPACE_NOT_FOUND) throw error;
      throw new PortError('invalid', call, `there is no collection ${collection}`);
    }
  }
}

/** The port's fields of an index, without the `_id` that this adapter puts behind them. */
function fieldsIn(key: Readonly<Record<string, unknown>>): readonly IndexField[] {
  return Object.entries(key)
    .filter(([field]) => field !== '_id')
    .map(([field, direction]) => ({ field, direction: direction === 1 ? 'ascending' : 'descending' }));
}

/** Refuses a document with an array that no index takes beside one in its first field. */
export function checkIndexed(call: string, document: StoredDocument, indexes: Indexes): void {
  for (const [name, fields] of indexes) {
    for (let place = 1; place < fields.length; place += 1) {
      const field = fields[place]?.field ?? '';
      if (!Array.isArray(document[field])) continue;
      const fault = `${field} is an array, and index ${name} takes one in its first field only`;
      throw new PortError('invalid', call, `document ${document._id}: ${fault}`);
    }
  }
}
