/** What a document may hold. Numbers are finite; integers up to 2^53 - 1 are exact. */
export type DocumentValue =
  string | number | boolean | null | readonly DocumentValue[] | { readonly [field: string]: DocumentValue };

/** A document: an object with a unique `_id`. */
export interface StoredDocument {
  readonly _id: string;
  readonly [field: string]: DocumentValue;
}

/** A value that an index orders by and a query compares with. */
export type IndexValue = string | number;

/** One field of an index. */
export interface IndexField {
  readonly field: string;
  readonly direction: 'ascending' | 'descending';
}

/**
 * An index of a collection. Its first field may hold an array of strings: the document is then found by each
 * element. A document without one of the fields is not in the index.
 */
export interface IndexSpec {
  /** Lower-case letters, digits and `_`. */
  readonly name: string;
  readonly fields: readonly IndexField[];
}

/** A collection that must exist. */
export interface CollectionSpec {
  /** Lower-case letters, digits and `_`, at most 60 characters. */
  readonly name: string;
  readonly indexes: readonly IndexSpec[];
}

/** What became of one document of an `insertMany`. */
export type InsertResult = 'inserted' | 'duplicate';

/**
 * A query that an index answers: equality on the index's first fields, then its order. The documents come in
 * the index's order, ties broken by `_id` in the direction of the index's last field.
 */
export interface FindOptions {
  readonly index: string;
  /** Values of the index's first fields, in order; at least one. */
  readonly equals: readonly IndexValue[];
  /** Continue behind this position: values of the remaining index fields, and the `_id`. */
  readonly after?: { readonly values: readonly IndexValue[]; readonly id: string };
  /** At most this many documents, 1 to 1,000. */
  readonly limit: number;
}

/** Documents in order of `_id`, for event streams whose ids carry a version. */
export interface FindByIdRangeOptions {
  /** First id wanted (inclusive). */
  readonly from: string;
  /** End of the range (exclusive). */
  readonly to: string;
  readonly limit: number;
}

/** A store of documents without transactions: MongoDB, or its embedded twin. One document is atomic. */
export interface DocumentStore {
  /** Creates collections and indexes that are absent. */
  ensureCollections(specs: readonly CollectionSpec[]): Promise<void>;
  /**
   * Inserts documents, unordered, each on its own: an `_id` that exists (or came earlier in the same call) is a
   * `duplicate` and stays as it was, and the others are inserted. Results stand in the order of the documents
   * and come only when every insert is durable. On a rejection with `invalid` none is inserted; on any other,
   * any of them may be.
   */
  insertMany(collection: string, documents: readonly StoredDocument[]): Promise<readonly InsertResult[]>;
  /** Documents by id, in the order of the ids; undefined where there is none. At most 1,000 ids. */
  findByIds(collection: string, ids: readonly string[]): Promise<readonly (StoredDocument | undefined)[]>;
  /** One page of a query. */
  find(collection: string, options: FindOptions): Promise<readonly StoredDocument[]>;
  /** One page of a range of ids, ascending by code unit of UTF-8. */
  findByIdRange(collection: string, options: FindByIdRangeOptions): Promise<readonly StoredDocument[]>;
  /** Stores a document whole, in place of one with the same `_id` if there is one. Durable when it resolves. */
  replace(collection: string, document: StoredDocument): Promise<void>;
  /**
   * Replaces the document only if the stored one has these field values (top level, compared by equality).
   * Resolves to whether it did. Durable when it resolves to true.
   */
  replaceIf(
    collection: string,
    document: StoredDocument,
    expected: Readonly<Record<string, IndexValue>>,
  ): Promise<boolean>;
  /** Removes documents by id; those that do not exist are passed over. */
  remove(collection: string, ids: readonly string[]): Promise<void>;
  /** Closes the connection. Calls after it reject with `closed`. */
  close(): Promise<void>;
}
