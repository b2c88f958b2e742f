import type {
  CollectionSpec,
  DocumentValue,
  IndexValue,
  StoredDocument,
} from '../../ports/document-store.ts';
import { PortError } from '../../ports/port-error.ts';

/** As MongoDB, so that what a laptop accepts a cluster accepts too. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const MAX_PAGE = 1_000;
const NAME = /^[a-z0-9_]{1,60}$/;

/** A document's JSON text. Throws `invalid` for one that could not be read back as it is. */
export function encodeDocument(call: string, document: StoredDocument): string {
  checkString(call, document._id, '_id');
  let body: string;
  try {
    body = JSON.stringify(document);
  } catch (error) {
    throw new PortError('invalid', call, `document ${document._id} is not JSON`, { cause: error });
  }
  if (body.length > MAX_DOCUMENT_BYTES) {
    const size = `${body.length} characters of at most ${MAX_DOCUMENT_BYTES}`;
    throw new PortError('invalid', call, `document ${document._id} is too large: ${size}`);
  }
  // JSON writes NaN and the infinities as null, so only a text with a null in it needs the walk.
  if (body.includes('null') && !isFinite(document)) {
    throw new PortError('invalid', call, `document ${document._id} holds a number that is not finite`);
  }
  return body;
}

function isFinite(value: DocumentValue): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every((inner: DocumentValue) => isFinite(inner));
}

/** Refuses a string with half a surrogate pair: UTF-8 has none, so two such strings would become one. */
export function checkString(call: string, value: string, what: string): void {
  if (typeof value === 'string' && value.isWellFormed()) return;
  throw new PortError('invalid', call, `${what} is not a well-formed string`);
}

/** Refuses values that an index does not order. */
export function checkIndexValues(call: string, values: readonly IndexValue[]): void {
  for (const value of values) {
    if (typeof value === 'string') checkString(call, value, 'a value');
    else if (!Number.isFinite(value)) throw new PortError('invalid', call, 'a value is not finite');
  }
}

/** Refuses a page size outside of 1 to 1,000. */
export function checkLimit(call: string, limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return;
  throw new PortError('invalid', call, `limit is ${limit}, not 1 to ${MAX_PAGE}`);
}

/** Refuses specs whose names are not names, and indexes without fields. */
export function checkCollection(call: string, { name, indexes }: CollectionSpec): void {
  for (const each of [name, ...indexes.map((index) => index.name)]) {
    if (!NAME.test(each)) throw new PortError('invalid', call, `${JSON.stringify(each)} is not a name`);
  }
  for (const index of indexes) {
    if (index.fields.length > 0) continue;
    throw new PortError('invalid', call, `index ${index.name} of ${name} has no field`);
  }
}

/** Bytes that texts take in a queue, about. */
export function bytesOf(texts: readonly string[]): number {
  return texts.reduce((bytes, text) => bytes + text.length, 0);
}
