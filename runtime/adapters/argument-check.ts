import type { CollectionSpec, IndexValue } from '../ports/document-store.ts';
import { PortError } from '../ports/port-error.ts';

const MAX_PAGE = 1_000;
const NAME = /^[a-z0-9_]{1,60}$/;

/** Refuses a page size outside of 1 to 1,000. */
export function checkLimit(call: string, limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return;
  throw new PortError('invalid', call, `limit is ${limit}, not 1 to ${MAX_PAGE}`);
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
