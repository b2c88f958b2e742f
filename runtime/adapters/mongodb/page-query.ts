import type { Filter, SortDirection } from 'mongodb';
import type { FindOptions, IndexField, IndexValue, StoredDocument } from '../../ports/document-store.ts';
import { PortError } from '../../ports/port-error.ts';

/** One query of a page. */
export interface PageQuery {
  readonly filter: Filter<StoredDocument>;
  readonly sort: Readonly<Record<string, SortDirection>>;
}

type Conditions = Readonly<Record<string, unknown>>;

/** What an index orders: a document whose field holds anything else is not found by it. */
const ORDERED = { $type: ['string', 'number'] };

/**
 * The queries that give a page, one after the other until it is full. Behind a position come first the documents that
 * share all its values and lie behind its id, then those that share all but the last value, and so on: each is one
 * seek in the index, whatever the directions, where one query with `$or` would leave it to the planner.
 */
export function pageQueries(
  call: string,
  fields: readonly IndexField[],
  options: FindOptions,
): readonly PageQuery[] {
  const { equals, after } = options;
  checkPosition(call, fields, options);
  const order: readonly IndexField[] = [...fields.slice(equals.length), idField(fields)];
  const fixed = equalities(fields.slice(0, equals.length), equals);
  if (after === undefined) return [pageQuery([fixed, orderedFields(order)], order)];
  const position = [...after.values, after.id];
  return order
    .map((beyond, place) => {
      const shared = equalities(order.slice(0, place), position);
      const conditions = { [beyond.field]: behind(beyond, position[place]) };
      return pageQuery(
        [fixed, shared, conditions, orderedFields(order.slice(place + 1))],
        order.slice(place),
      );
    })
    .reverse();
}

function pageQuery(conditions: readonly Conditions[], order: readonly IndexField[]): PageQuery {
  // The driver's type knows no document whose fields are open.
  const filter = Object.assign({}, ...conditions) as Filter<StoredDocument>;
  return { filter, sort: sortBy(order) };
}

/** The field that breaks ties: the last of every compound index. */
export function idField(fields: readonly IndexField[]): IndexField {
  return { field: '_id', direction: fields.at(-1)?.direction ?? 'ascending' };
}

function equalities(fields: readonly IndexField[], values: readonly IndexValue[]): Conditions {
  return Object.fromEntries(fields.map(({ field }, place) => [field, { $eq: values[place] }]));
}

function orderedFields(fields: readonly IndexField[]): Conditions {
  return Object.fromEntries(
    fields.filter(({ field }) => field !== '_id').map(({ field }) => [field, ORDERED]),
  );
}

/** Comparisons see values of one type only; numbers stand before strings, so some positions have both behind them. */
function behind({ field, direction }: IndexField, value: IndexValue | undefined): Conditions {
  const ascends = direction === 'ascending';
  if (field === '_id' || ascends === (typeof value === 'string'))
    return ascends ? { $gt: value } : { $lt: value };
  return { ...ORDERED, $not: ascends ? { $lte: value } : { $gte: value } };
}

function sortBy(fields: readonly IndexField[]): Record<string, SortDirection> {
  return Object.fromEntries(
    fields.map(({ field, direction }) => [field, direction === 'ascending' ? 1 : -1]),
  );
}

function checkPosition(
  call: string,
  fields: readonly IndexField[],
  { index, equals, after }: FindOptions,
): void {
  if (equals.length < 1 || equals.length > fields.length) {
    const count = `${equals.length} values given`;
    throw new PortError('invalid', call, `index ${index} has ${fields.length} fields; ${count}`);
  }
  const rest = fields.length - equals.length;
  if (after !== undefined && after.values.length !== rest) {
    throw new PortError(
      'invalid',
      call,
      `a position in index ${index} needs ${rest} values behind those of equals`,
    );
  }
}
