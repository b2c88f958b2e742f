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
import { checkCollection, checkIndexValues, checkLimit, checkString } from '../argument-check.ts';
import type { EmbeddedDatabase } from './database.ts';
import { bytesOf, encodeDocument } from './document-check.ts';

const MAX_IDS = 1_000;

/** The document store in the embedded database, which it does not own: closing it leaves that open. */
export class EmbeddedDocumentStore implements DocumentStore {
  readonly #database: EmbeddedDatabase;
  #closed = false;

  constructor(database: EmbeddedDatabase) {
    this.#database = database;
  }

  async ensureCollections(specs: readonly CollectionSpec[]): Promise<void> {
    const call = this.#call('ensureCollections');
    for (const spec of specs) checkCollection(call, spec);
    await this.#database.write(call, { op: 'ensureCollections', specs }, { items: 1, bytes: 0 });
    for (const { name } of specs) {
      while (!(await this.#database.read(call, { op: 'buildIndexes', collection: name })));
    }
  }

  async insertMany(
    collection: string,
    documents: readonly StoredDocument[],
  ): Promise<readonly InsertResult[]> {
    const call = this.#call('insertMany');
    if (documents.length === 0) return [];
    const bodies = documents.map((document) => encodeDocument(call, document));
    const ids = documents.map(({ _id }) => _id);
    const load = { items: documents.length, bytes: bytesOf(bodies) };
    const duplicates = await this.#database.write(call, { op: 'insert', collection, ids, bodies }, load);
    const results: InsertResult[] = documents.map(() => 'inserted');
    for (const place of duplicates ?? []) results[place] = 'duplicate';
    return results;
  }

  async findByIds(
    collection: string,
    ids: readonly string[],
  ): Promise<readonly (StoredDocument | undefined)[]> {
    const call = this.#call('findByIds');
    if (ids.length > MAX_IDS) throw new PortError('invalid', call, `${ids.length} ids, at most ${MAX_IDS}`);
    if (ids.length === 0) return [];
    for (const id of ids) checkString(call, id, 'an id');
    const answer = parseDocuments(await this.#database.read(call, { op: 'findByIds', collection, ids }));
    return answer.map((document) => document ?? undefined);
  }

  async find(collection: string, options: FindOptions): Promise<readonly StoredDocument[]> {
    const call = this.#call('find');
    const { index, equals, after = null, limit } = options;
    checkLimit(call, limit);
    checkIndexValues(call, [...equals, ...(after === null ? [] : [...after.values, after.id])]);
    const request = { op: 'find', collection, index, equals, after, limit } as const;
    return parseDocuments(await this.#database.read(call, request)).filter((found) => found !== null);
  }

  async findByIdRange(
    collection: string,
    { from, to, limit }: FindByIdRangeOptions,
  ): Promise<readonly StoredDocument[]> {
    const call = this.#call('findByIdRange');
    checkLimit(call, limit);
    checkIndexValues(call, [from, to]);
    const request = { op: 'findByIdRange', collection, from, to, limit } as const;
    return parseDocuments(await this.#database.read(call, request)).filter((found) => found !== null);
  }

  async replace(collection: string, document: StoredDocument): Promise<void> {
    await this.#replace(this.#call('replace'), collection, document, null);
  }

  async replaceIf(
    collection: string,
    document: StoredDocument,
    expected: Readonly<Record<string, IndexValue>>,
  ): Promise<boolean> {
    return this.#replace(this.#call('replaceIf'), collection, document, expected);
  }

  async remove(collection: string, ids: readonly string[]): Promise<void> {
    const call = this.#call('remove');
    if (ids.length === 0) return;
    for (const id of ids) checkString(call, id, 'an id');
    const load = { items: ids.length, bytes: bytesOf(ids) };
    await this.#database.write(call, { op: 'remove', collection, ids }, load);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #replace(
    call: string,
    collection: string,
    document: StoredDocument,
    expected: Readonly<Record<string, IndexValue>> | null,
  ): Promise<boolean> {
    const body = encodeDocument(call, document);
    const request = { op: 'replace', collection, id: document._id, body, expected } as const;
    return this.#database.write(call, request, { items: 1, bytes: body.length });
  }

  #call(method: string): string {
    const call = `document-store.${method}`;
    if (this.#closed) throw new PortError('closed', call, 'the store has been closed');
    return call;
  }
}

function parseDocuments(json: string): (StoredDocument | null)[] {
  // The reader joins what encodeDocument made, and null where there is no document.
  return JSON.parse(json) as (StoredDocument | null)[];
}
