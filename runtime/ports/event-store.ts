import type { InsertResult, StoredDocument } from './document-store.ts';
import type { NewRecord } from './event-log.ts';

/** A document, and the record that is appended to the log when the document is stored. */
export interface NewEvent {
  readonly document: StoredDocument;
  /** Undefined: nothing is published for this document. */
  readonly record: NewRecord | undefined;
}

/**
 * Stores documents and publishes them: a document store and an event log used together, in one step where both
 * are in one place, one after the other elsewhere.
 */
export interface EventStore {
  /**
   * True: a document and its record are stored in one transaction, so no document is ever without its record.
   * False: one that is killed or cut off in between leaves documents that somebody else has to publish.
   */
  readonly atomic: boolean;
  /**
   * Inserts documents as `DocumentStore.insertMany` does, and appends the record of each that was inserted; a
   * duplicate's record is left out. Resolves when all inserts and records are durable. On a rejection with
   * `invalid` nothing is inserted; on any other, any document may be, with or without its record, so the caller
   * asks again and publishes the duplicates anew; where the error's call is one of the event log, no insert is
   * under way any more.
   */
  insertAndAppend(collection: string, events: readonly NewEvent[]): Promise<readonly InsertResult[]>;
}
