import {
  type CollectionInfo,
  type CreateIndexesOptions,
  type Db,
  type IndexDescriptionInfo,
  MongoServerError,
} from 'mongodb';
import type { CollectionSpec, IndexSpec } from '../../ports/document-store.ts';
import { PortError } from '../../ports/port-error.ts';
import { ADMIN_DEADLINE_MS, DURABLE } from './options.ts';
import { idField } from './page-query.ts';

const NAMESPACE_EXISTS = 48;
/** IndexOptionsConflict and IndexKeySpecsConflict. */
const INDEX_CONFLICTS: ReadonlySet<unknown> = new Set([85, 86]);
/** Options of a collection by which documents would vanish, be refused, or be taken for one another. */
const HARMFUL_OPTIONS = [
  'capped',
  'timeseries',
  'viewOn',
  'collation',
  'expireAfterSeconds',
  'validator',
] as const;
/** Options of an index by which it would miss documents, refuse them, or remove them. */
const HARMFUL_INDEX_OPTIONS = ['sparse', 'partialFilterExpression', 'collation', 'hidden'] as const;

/** Makes one collection and its indexes where they are absent, also while others do; checks those that are there. */
export async function ensureCollection(
  call: string,
  database: Db,
  { name, indexes }: CollectionSpec,
): Promise<void> {
  await createCollection(database, name);
  const [info] = await database.listCollections({ name }).toArray();
  if (info !== undefined) checkCollectionInfo(call, info);
  const existing: readonly IndexDescriptionInfo[] = await database.collection(name).listIndexes().toArray();
  for (const index of existing) checkForeignIndex(call, name, index);
  const absent = indexes.filter((wanted) => {
    const found = existing.find((index) => index.name === wanted.name);
    if (found !== undefined) checkIndex(call, name, [wanted, found]);
    return found === undefined;
  });
  if (absent.length > 0) await createIndexes(call, database, { name, indexes: absent });
}

async function createCollection(database: Db, name: string): Promise<void> {
  try {
    await database.createCollection(name, { writeConcern: DURABLE });
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== NAMESPACE_EXISTS) throw error;
  }
}

async function createIndexes(call: string, database: Db, { name, indexes }: CollectionSpec): Promise<void> {
  // An index of many documents takes longer than any other command.
  const options: CreateIndexesOptions & { readonly socketTimeoutMS: number } = {
    socketTimeoutMS: ADMIN_DEADLINE_MS,
  };
  try {
    const wanted = indexes.map((index) => ({ name: index.name, key: keyOf(index) }));
    await database.collection(name, { writeConcern: DURABLE }).createIndexes(wanted, options);
  } catch (error) {
    if (!(error instanceof MongoServerError) || !INDEX_CONFLICTS.has(error.code)) throw error;
    const names = indexes.map((index) => index.name).join(', ');
    throw new PortError(
      'invalid',
      call,
      `one of the indexes ${names} of ${name} exists by another name or with other options: drop that one`,
    );
  }
}

/** Equality on the first fields, then the order of the others; `_id` is what ties are broken by. */
function keyOf({ fields }: Pick<IndexSpec, 'fields'>): Map<string, 1 | -1> {
  return new Map(
    [...fields, idField(fields)].map(({ field, direction }) => [field, direction === 'ascending' ? 1 : -1]),
  );
}

function checkCollectionInfo(call: string, info: CollectionInfo): void {
  const options = info.options ?? {};
  const harmful = HARMFUL_OPTIONS.filter((option) => Boolean(options[option]));
  if (harmful.length === 0) return;
  throw new PortError(
    'refused',
    call,
    `collection ${info.name} in the database of spec.mongodb.database has the option ${harmful.join(', ')}, by which ` +
      'events would be lost or refused: move its documents into a collection without it',
  );
}

/** An index that this platform has not made may not remove or refuse its documents either. */
function checkForeignIndex(call: string, collection: string, index: IndexDescriptionInfo): void {
  const isUnique = index.unique === true && index.name !== '_id_';
  if (!isUnique && index.expireAfterSeconds === undefined) return;
  const does = isUnique ? 'refuses documents (unique)' : 'removes documents (expireAfterSeconds)';
  throw new PortError('refused', call, `index ${index.name} of ${collection} ${does}: drop it`);
}

function checkIndex(
  call: string,
  collection: string,
  [wanted, found]: readonly [IndexSpec, IndexDescriptionInfo],
): void {
  const key = JSON.stringify([...keyOf(wanted)]);
  if (JSON.stringify(Object.entries(found.key)) !== key) {
    throw new PortError(
      'invalid',
      call,
      `index ${wanted.name} of ${collection} exists with other fields: drop it, and it is made anew`,
    );
  }
  const harmful = HARMFUL_INDEX_OPTIONS.filter((option) => Boolean(found[option]));
  if (harmful.length === 0) return;
  throw new PortError(
    'invalid',
    call,
    `index ${wanted.name} of ${collection} is ${harmful.join(', ')}: drop it, and it is made anew`,
  );
}
