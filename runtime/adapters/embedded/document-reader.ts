import { textOf } from './connection.ts';
import type { Connection, Row } from './connection.ts';
import type { IndexKeeper } from './index-keeper.ts';
import { pageQueries } from './index-query.ts';
import { documentTable, indexesOf } from './schema.ts';
import { InvalidRequest } from './thread-service.ts';
import type { IndexFields, ReadRequest } from './thread-protocol.ts';

type RequestOf<Op extends ReadRequest['op']> = Extract<ReadRequest, { op: Op }>;

/** An answer is built in the heap of a small thread, and then again in the main thread's. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** The document store's side of the reader thread; runs within one read transaction per request. */
export class DocumentReader {
  readonly #connection: Connection;
  readonly #keeper: IndexKeeper;
  readonly #indexes = new Map<string, ReadonlyMap<string, IndexFields>>();

  constructor(connection: Connection, keeper: IndexKeeper) {
    this.#connection = connection;
    this.#keeper = keeper;
  }

  /** Takes the collection's indexes one step further; returns whether they are up to date. */
  buildIndexes({ collection }: RequestOf<'buildIndexes'>): boolean {
    const indexes = [...indexesOf(this.#connection, collection)];
    return indexes.map(([name, fields]) => this.#keeper.step(collection, name, fields)).every(Boolean);
  }

  findByIds({ collection, ids }: RequestOf<'findByIds'>): string {
    this.#indexesOf(collection);
    const select = this.#connection.statement(`SELECT body FROM ${documentTable(collection)} WHERE id = ?`);
    const answer = new JsonArray();
    for (const id of ids) {
      const row = select.get(id);
      answer.add(row === undefined ? 'null' : textOf(row, 'body'));
    }
    return answer.text();
  }

  find(request: RequestOf<'find'>): string {
    const fields = this.#indexFields(request.collection, request.index);
    this.#keeper.catchUp(request.collection, request.index, fields);
    const answer = new JsonArray();
    for (const { sql, values } of pageQueries(request, fields)) {
      const missing = request.limit - answer.length;
      if (missing === 0) break;
      addBodies(answer, this.#connection.statement(sql).iterate(...values, missing));
    }
    return answer.text();
  }

  findByIdRange({ collection, from, to, limit }: RequestOf<'findByIdRange'>): string {
    this.#indexesOf(collection);
    const table = documentTable(collection);
    const sql = `SELECT body FROM ${table} WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`;
    const answer = new JsonArray();
    addBodies(answer, this.#connection.statement(sql).iterate(from, to, limit));
    return answer.text();
  }

  #indexFields(collection: string, index: string): IndexFields {
    const fields = this.#indexesOf(collection).get(index);
    if (fields !== undefined) return fields;
    // It may have been added since the catalogue was read.
    this.#indexes.delete(collection);
    const added = this.#indexesOf(collection).get(index);
    if (added === undefined) throw new InvalidRequest(`collection ${collection} has no index ${index}`);
    return added;
  }

  #indexesOf(collection: string): ReadonlyMap<string, IndexFields> {
    const known = this.#indexes.get(collection);
    if (known !== undefined) return known;
    const indexes = indexesOf(this.#connection, collection);
    this.#indexes.set(collection, indexes);
    return indexes;
  }
}

/** JSON texts joined to that of one array, which the main thread parses in one go. */
class JsonArray {
  readonly #texts: string[] = [];
  #bytes = 0;

  get length(): number {
    return this.#texts.length;
  }

  add(text: string): void {
    this.#bytes += text.length;
    if (this.#bytes > MAX_ANSWER_BYTES) {
      throw new InvalidRequest(
        `the answer is larger than ${MAX_ANSWER_BYTES} bytes; ask for fewer documents`,
      );
    }
    this.#texts.push(text);
  }

  text(): string {
    return `[${this.#texts.join(',')}]`;
  }
}

function addBodies(answer: JsonArray, rows: Iterable<Row>): void {
  for (const row of rows) answer.add(textOf(row, 'body'));
}
