import { BSON } from 'mongodb';
import type { CollectionSpec, DocumentValue, StoredDocument } from '../../ports/document-store.ts';
import { PortError } from '../../ports/port-error.ts';
import { checkCollection as checkNames, checkString } from '../argument-check.ts';

/** The server's limit. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
/** The server takes nothing that is nested deeper. */
const MAX_DEPTH = 100;

/**
 * Refuses what would be stored as something else, or be refused by the server only when other documents of its batch
 * are stored already: `invalid` promises that none is.
 */
export function checkDocument(call: string, document: StoredDocument): void {
  checkString(call, document._id, '_id');
  const fault = faultIn(document, 1);
  if (fault !== undefined) throw new PortError('invalid', call, `document ${document._id}: ${fault}`);
}

/** `checkDocument`, and the size; for documents that are sent alone. */
export function checkSingleDocument(call: string, document: StoredDocument): void {
  checkDocument(call, document);
  const bytes = BSON.calculateObjectSize(document, { ignoreUndefined: true });
  if (bytes <= MAX_DOCUMENT_BYTES) return;
  const size = `${bytes} bytes of at most ${MAX_DOCUMENT_BYTES}`;
  throw new PortError('invalid', call, `document ${document._id} is too large: ${size}`);
}

function faultIn(value: DocumentValue | undefined, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
      // UTF-8 has no half of a surrogate pair: it would be stored as another character.
      return value.isWellFormed() ? undefined : 'a string is not well-formed';
    case 'number':
      return Number.isFinite(value) ? undefined : 'a number is not finite';
    case 'object':
      return value === null ? undefined : faultInside(value, depth);
    default:
      return undefined;
  }
}

function faultInside(
  value: Exclude<DocumentValue, string | number | boolean | null>,
  depth: number,
): string | undefined {
  if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`;
  if (Array.isArray(value)) {
    for (const element of value) {
      const fault = faultIn(element as DocumentValue, depth + 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  const fields = value as Readonly<Record<string, DocumentValue>>;
  // On the path of every write: the pairs of `Object.entries` would double the time.
  for (const field of Object.keys(fields)) {
    const fault = faultInName(field) ?? faultIn(fields[field], depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** `$` begins operators and references, a zero ends a name, and `_bsontype` means something to the driver. */
function faultInName(field: string): string | undefined {
  if (!field.startsWith('$') && field !== '_bsontype' && !field.includes('\0') && field.isWellFormed())
    return undefined;
  return `${JSON.stringify(field)} is no name for a field`;
}

/** Refuses fields by which a query would look into documents rather than at them. */
export function checkFieldName(call: string, field: string): void {
  if (field !== '' && !field.includes('.') && faultInName(field) === undefined) return;
  throw new PortError('invalid', call, `${JSON.stringify(field)} is no field to look for`);
}

/** Refuses specs whose names are not names, and indexes without fields or with fields that cannot be looked for. */
export function checkCollection(call: string, spec: CollectionSpec): void {
  checkNames(call, spec);
  for (const { fields } of spec.indexes) {
    for (const { field } of fields) checkFieldName(call, field);
  }
}
