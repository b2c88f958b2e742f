import type { DocumentValue, StoredDocument } from '../ports/document-store.ts';
import type { NewRecord } from '../ports/event-log.ts';
import { type ErrorCode, isErrorCode } from '../errors.ts';

/** The topic to which every stored event goes before it is acknowledged. */
export const LONG_TERM_STORAGE = 'long_term_storage';

/** What was decided about an event when it was first stored; it never changes. */
export type StoredVerdict = 'INSERTED' | 'DISCARDED' | ErrorCode;

/** The content of an event, as the domain defines it. */
export type EventContent = Readonly<Record<string, DocumentValue>>;

/** Fields by which the event is found, for the collection's indexes; names of `EventRecord` are taken. */
export type LookupFields = Readonly<Record<string, DocumentValue>>;

/**
 * A decision as it is stored: one document, whose insert decides. A refused or discarded event has no content,
 * so that no query on its content ever finds it.
 */
export interface EventRecord {
  /** The event's id. */
  readonly id: string;
  /** Hash of the body that it was decided on; another one under the same id is a reuse of the key. */
  readonly bodyHash: string;
  readonly verdict: StoredVerdict;
  /** When it was decided, in ms since the epoch. */
  readonly at: number;
  /** The worker's start that stored it: what that one has not published, another one does. */
  readonly bootId: string;
  readonly content: EventContent;
  readonly lookup: LookupFields;
}

/** The document of an event record. */
export function toDocument(record: EventRecord): StoredDocument {
  const { id, bodyHash, verdict, at, bootId, content, lookup } = record;
  return { ...lookup, _id: id, bodyHash, verdict, at, bootId, content };
}

function isContent(value: DocumentValue | undefined): value is EventContent {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The event record in a document. Throws when the document is not one: the collection holds foreign data. */
export function fromDocument(document: StoredDocument): EventRecord {
  const { _id: id, bodyHash, verdict, at, bootId, content, ...lookup } = document;
  if (
    typeof bodyHash !== 'string' ||
    typeof verdict !== 'string' ||
    typeof at !== 'number' ||
    typeof bootId !== 'string' ||
    !isContent(content) ||
    !(verdict === 'INSERTED' || verdict === 'DISCARDED' || isErrorCode(verdict))
  ) {
    throw new Error('a stored document is not an event');
  }
  return { id, bodyHash, verdict, at, bootId, content, lookup };
}

const encoder = new TextEncoder();

/** An event as it goes to `long_term_storage`: JSON, one object, in UTF-8. */
export function toLogValue(operation: string, record: EventRecord): Uint8Array {
  const { id, at, bodyHash, content } = record;
  return encoder.encode(JSON.stringify({ operation, id, at, bodyHash, content }));
}

/** What is published of an event; nothing of one that was refused or discarded. */
export function toLogRecord(operation: string, record: EventRecord): NewRecord | undefined {
  if (record.verdict !== 'INSERTED') return undefined;
  return { topic: LONG_TERM_STORAGE, key: record.id, value: toLogValue(operation, record) };
}
