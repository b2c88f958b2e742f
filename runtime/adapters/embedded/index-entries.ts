import type { DocumentValue, IndexValue, StoredDocument } from '../../ports/document-store.ts';
import type { IndexFields } from './thread-protocol.ts';

/**
 * The rows by which an index finds a document: one, or one per element where the first field is an array of
 * strings, or none where a field is absent (or holds what an index does not order: null, a boolean, an object).
 */
export function indexEntries(document: StoredDocument, fields: IndexFields): IndexValue[][] {
  const [first, ...others] = fields;
  if (first === undefined) return [];
  const rest: IndexValue[] = [];
  for (const { field } of others) {
    const value = document[field];
    if (!isIndexValue(value)) return [];
    rest.push(value);
  }
  return firstValues(document[first.field]).map((value) => [value, ...rest]);
}

function firstValues(value: DocumentValue | undefined): IndexValue[] {
  if (isIndexValue(value)) return [value];
  if (!Array.isArray(value)) return [];
  return [...new Set(value.filter((element) => typeof element === 'string'))];
}

function isIndexValue(value: DocumentValue | undefined): value is IndexValue {
  return typeof value === 'string' || typeof value === 'number';
}
