import {
  BSON,
  type Collection,
  type Db,
  MongoInvalidArgumentError,
  MongoServerError,
  type UnorderedBulkOperation,
} from 'mongodb';
import type {
  CollectionSpec,
  DocumentStore,
  FindByIdRangeOptions,
  FindOptions,
  IndexValue,
  InsertResult,
  StoredDocument,
} from '../../ports/document-store.ts';
import { PortError } from '../../ports/port-error.ts';
import type { ServiceObserver } from '../../ports/service-observer.ts';
import { checkIndexValues, checkLimit, checkString } from '../argument-check.ts';
import { Catalogue, checkIndexed } from './catalogue.ts';
import { ensureCollection } from './collections.ts';
import { MongoConnection } from './connection.ts';
import { checkCollection, checkDocument, checkFieldName, checkSingleDocument } from './document-check.ts';
import { insertOutcome } from './insert-outcome.ts';
import {
  ADMIN_DEADLINE_MS,
  CALL_DEADLINE_MS,
  CERTAIN,
  COMMAND_MS,
  DURABLE,
  type MongoOptions,
} from './options.ts';
import { pageQueries } from './page-query.ts';
import { readAll } from './reads.ts';

export type { MongoOptions } from './options.ts';

const MAX_IDS = 1_000;
/** Of one call; the driver makes messages of up to 16 MB of it. */
const MAX_BATCH_BYTES = 48_000_000;
const DUPLICATE_KEY = 11000;
/** Two that store the same new document at once: the second finds it at its next try. */
const REPLACE_TRIES = 3;

/** The document store in MongoDB. Connects by itself at the first call, and again for ever. */
export class MongoDocumentStore implements DocumentStore {
  readonly #connection: MongoConnection;
  readonly #catalogue = new Catalogue();
  readonly #observer: ServiceObserver;

  constructor(options: MongoOptions) {
    this.#connection = new MongoConnection(options);
    this.#observer = options.observer;
  }

  async ensureCollections(specs: readonly CollectionSpec[]): Promise<void> {
    const call = this.#call('ensureCollections');
    for (const spec of specs) checkCollection(call, spec);
    if (specs.length === 0) return;
    await this.#connection.run(call, ADMIN_DEADLINE_MS, async (database) => {
      for (const spec of specs) {
        await ensureCollection(call, database, spec);
        this.#catalogue.add(spec);
      }
    });
  }

  async insertMany(
    collection: string,
    documents: readonly StoredDocument[],
  ): Promise<readonly InsertResult[]> {
    const call = this.#call('insertMany');
    if (documents.length === 0) return [];
    for (const document of documents) checkDocument(call, document);
    return this.#connection.run(call, CALL_DEADLINE_MS, async (database) => {
      const indexes =
        this.#catalogue.known(collection) ?? (await this.#catalogue.indexesOf(call, database, collection));
      for (const document of documents) checkIndexed(call, document, indexes);
      const batch = gather(call, durable(database, collection), documents);
      const commands = batch.batches.length;
      this.#observer.sent('insert', documents.length);
      try {
        await batch.execute();
        return documents.map(() => 'inserted');
      } catch (error) {
        return insertOutcome(error, { call, count: documents.length, commands });
      }
    });
  }

  async findByIds(
    collection: string,
    ids: readonly string[],
  ): Promise<readonly (StoredDocument | undefined)[]> {
    const call = this.#call('findByIds');
    if (ids.length > MAX_IDS) throw new PortError('invalid', call, `${ids.length} ids, at most ${MAX_IDS}`);
    if (ids.length === 0) return [];
    for (const id of ids) checkString(call, id, 'an id');
    return this.#connection.run(call, CALL_DEADLINE_MS, async (database) => {
      await this.#catalogue.indexesOf(call, database, collection);
      const wanted = [...new Set(ids)];
      const options = { batchSize: MAX_IDS + 1, maxTimeMS: COMMAND_MS };
      const found = await readAll(
        call,
        certain(database, collection).find({ _id: { $in: wanted } }, options),
      );
      const byId = new Map(found.map((document) => [document._id, document]));
      return ids.map((id) => byId.get(id));
    });
  }

  async find(collection: string, options: FindOptions): Promise<readonly StoredDocument[]> {
    const call = this.#call('find');
    const { index, equals, after, limit } = options;
    checkLimit(call, limit);
    checkIndexValues(call, [...equals, ...(after === undefined ? [] : [...after.values, after.id])]);
    return this.#connection.run(call, CALL_DEADLINE_MS, async (database) => {
      const fields = await this.#catalogue.fieldsOf(call, database, [collection, index]);
      const page: StoredDocument[] = [];
      for (const { filter, sort } of pageQueries(call, fields, options)) {
        const missing = limit - page.length;
        if (missing === 0) break;
        const cursor = certain(database, collection)
          .find(filter, { hint: index, batchSize: missing + 1, maxTimeMS: COMMAND_MS })
          .sort({ ...sort })
          .limit(missing);
        page.push(...(await readAll(call, cursor)));
      }
      return page;
    });
  }

  async findByIdRange(
    collection: string,
    { from, to, limit }: FindByIdRangeOptions,
  ): Promise<readonly StoredDocument[]> {
    const call = this.#call('findByIdRange');
    checkLimit(call, limit);
    checkIndexValues(call, [from, to]);
    return this.#connection.run(call, CALL_DEADLINE_MS, async (database) => {
      await this.#catalogue.indexesOf(call, database, collection);
      const cursor = certain(database, collection)
        .find({ _id: { $gte: from, $lt: to } }, { batchSize: limit + 1, maxTimeMS: COMMAND_MS })
        .sort({ _id: 1 })
        .limit(limit);
      return readAll(call, cursor);
    });
  }

  async replace(collection: string, document: StoredDocument): Promise<void> {
    const call = this.#call('replace');
    checkSingleDocument(call, document);
    await this.#connection.run(call, CALL_DEADLINE_MS, async (database) => {
      checkIndexed(call, document, await this.#catalogue.indexesOf(call, database, collection));
      for (let tries = 1; ; tries += 1) {
        try {
          await durable(database, collection).replaceOne({ _id: document._id }, document, { upsert: true });
          return;
        } catch (error) {
          const isRace = error instanceof MongoServerError && error.code === DUPLICATE_KEY;
          if (!isRace || tries === REPLACE_TRIES) throw error;
        }
      }
    });
  }

  async replaceIf(
    collection: string,
    document: StoredDocument,
    expected: Readonly<Record<string, IndexValue>>,
  ): Promise<boolean> {
    const call = this.#call('replaceIf');
    checkSingleDocument(call, document);
    checkIndexValues(call, Object.values(expected));
    for (const field of Object.keys(expected)) checkFieldName(call, field);
    return this.#connection.run(call, CALL_DEADLINE_MS, async (database) => {
      checkIndexed(call, document, await this.#catalogue.indexesOf(call, database, collection));
      const conditions = Object.entries(expected).map(([field, value]) => [field, exactly(value)] as const);
      const filter = { ...Object.fromEntries(conditions), _id: document._id };
      const { matchedCount } = await durable(database, collection).replaceOne(filter, document);
      return matchedCount === 1;
    });
  }

  async remove(collection: string, ids: readonly string[]): Promise<void> {
    const call = this.#call('remove');
    if (ids.length === 0) return;
    for (const id of ids) checkString(call, id, 'an id');
    await this.#connection.run(call, CALL_DEADLINE_MS, async (database) => {
      await this.#catalogue.indexesOf(call, database, collection);
      for (let start = 0; start < ids.length; start += MAX_IDS) {
        const some = ids.slice(start, start + MAX_IDS);
        await durable(database, collection).deleteMany({ _id: { $in: some } });
      }
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #call(method: string): string {
    const call = `document-store.${method}`;
    this.#connection.assertOpen(call);
    return call;
  }
}

/** A collection to write to; what the URI says of write concern does not hold for it. */
function durable(database: Db, collection: string): Collection<StoredDocument> {
  return database.collection(collection, { writeConcern: DURABLE });
}

/** A collection to read from. */
function certain(database: Db, collection: string): Collection<StoredDocument> {
  return database.collection(collection, { readConcern: CERTAIN, readPreference: 'primary' });
}

/** Equality of the field itself; MongoDB's would also hold for an array that has the value as an element. */
function exactly(value: IndexValue): object {
  return { $eq: value, $not: { $type: 'array' } };
}

/** The documents in the driver's hands, each encoded once, none sent. Throws `invalid` for what it does not take. */
function gather(
  call: string,
  collection: Collection<StoredDocument>,
  documents: readonly StoredDocument[],
): UnorderedBulkOperation {
  const batch = collection.initializeUnorderedBulkOp();
  try {
    for (const document of documents) batch.insert(document);
  } catch (error) {
    if (!(error instanceof MongoInvalidArgumentError) && !BSON.BSONError.isBSONError(error)) throw error;
    throw new PortError('invalid', call, error.message);
  }
  const bytes = batch.batches.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (bytes <= MAX_BATCH_BYTES) return batch;
  throw new PortError('invalid', call, `${bytes} bytes in one call, at most ${MAX_BATCH_BYTES}`);
}
