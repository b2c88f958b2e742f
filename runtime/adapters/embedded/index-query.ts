import type { SQLInputValue } from 'node:sqlite';
import type { IndexValue } from '../../ports/document-store.ts';
import { documentTable, indexTable, sqlDirection } from './schema.ts';
import { InvalidRequest } from './thread-service.ts';
import type { IndexFields, ReadRequest } from './thread-protocol.ts';

type FindRequest = Extract<ReadRequest, { op: 'find' }>;

/** One statement of a page. Its last parameter, a limit, is left to the caller. */
export interface PageQuery {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

interface OrderColumn {
  readonly name: string;
  readonly direction: 'ASC' | 'DESC';
}

/**
 * The statements that give a page, one after the other until it is full. Behind a position come first the
 * rows that share all its values and lie behind its id, then those that share all but the last value, and so
 * on: each is one seek in the index, whatever the directions, and nothing is sorted or filtered.
 */
export function pageQueries(request: FindRequest, fields: IndexFields): PageQuery[] {
  const { equals, after } = request;
  checkPosition(request, fields);
  const columns = fields.map(({ direction }, place) => ({
    name: `f${place}`,
    direction: sqlDirection(direction),
  }));
  const order: OrderColumn[] = [
    ...columns.slice(equals.length),
    { name: 'id', direction: columns.at(-1)?.direction ?? 'ASC' },
  ];
  const fixed = columns.slice(0, equals.length).map(({ name }) => name);
  if (after === null) return [pageQuery(request, fixed, undefined, { order, values: equals })];
  const position = [...after.values, after.id];
  return order
    .map((beyond, place) => {
      const shared = [...fixed, ...order.slice(0, place).map(({ name }) => name)];
      const values = [...equals, ...position.slice(0, place + 1)];
      return pageQuery(request, shared, beyond, { order: order.slice(place), values });
    })
    .reverse();
}

function pageQuery(
  { collection, index }: FindRequest,
  shared: readonly string[],
  beyond: OrderColumn | undefined,
  { order, values }: { readonly order: readonly OrderColumn[]; readonly values: readonly IndexValue[] },
): PageQuery {
  const conditions = shared.map((name) => `i.${name} = ?`);
  if (beyond !== undefined) conditions.push(`i.${beyond.name} ${beyond.direction === 'ASC' ? '>' : '<'} ?`);
  const orderBy = order.map(({ name, direction }) => `i.${name} ${direction}`);
  // CROSS JOIN keeps SQLite from walking the documents first. An entry whose document is gone, or has another
  // version by now, joins nothing.
  const sql =
    `SELECT d.body FROM ${indexTable(collection, index)} i CROSS JOIN ${documentTable(collection)} d ` +
    `WHERE ${conditions.join(' AND ')} AND d.seq = i.seq ORDER BY ${orderBy.join(', ')} LIMIT ?`;
  return { sql, values };
}

function checkPosition({ index, equals, after }: FindRequest, fields: IndexFields): void {
  if (equals.length < 1 || equals.length > fields.length) {
    throw new InvalidRequest(`index ${index} has ${fields.length} fields; ${equals.length} values given`);
  }
  const rest = fields.length - equals.length;
  if (after !== null && after.values.length !== rest) {
    throw new InvalidRequest(`a position in index ${index} needs ${rest} values behind those of equals`);
  }
}
