import type { DocumentValue, StoredDocument } from '../../ports/document-store.ts';
import { PortError } from '../../ports/port-error.ts';
import { checkString } from '../argument-check.ts';

/** As MongoDB, so that what a laptop accepts a cluster accepts too. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

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

/** Bytes that texts take in a queue, about. */
export function bytesOf(texts: readonly string[]): number {
  return texts.reduce((bytes, text) => bytes + text.length, 0);
}
