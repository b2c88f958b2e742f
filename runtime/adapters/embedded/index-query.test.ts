import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Connection, textOf } from './connection.ts';
import { DocumentWriter } from './document-writer.ts';
import { pageQueries } from './index-query.ts';
import { createCatalogue, createIndexTable } from './schema.ts';
import type { IndexFields } from './thread-protocol.ts';

const DIRECTIONS = [
  ['ascending', 'ascending'],
  ['ascending', 'descending'],
  ['descending', 'ascending'],
  ['descending', 'descending'],
] as const;

const fieldsOf = ([x, y]: (typeof DIRECTIONS)[number]): IndexFields => [
  { field: 'k', direction: 'ascending' },
  { field: 'x', direction: x },
  { field: 'y', direction: y },
];

let connection: Connection;

beforeAll(() => {
  connection = new Connection(':memory:', []);
  createCatalogue(connection);
  const indexes = DIRECTIONS.map((directions) => ({
    name: directions.join('_'),
    fields: fieldsOf(directions),
  }));
  new DocumentWriter(connection).ensureCollections([{ name: 'events', indexes }]);
  for (const { name, fields } of indexes) connection.database.exec(createIndexTable('events', name, fields));
});

afterAll(() => connection.close());

const cases = DIRECTIONS.flatMap((directions) =>
  [
    { equals: ['k'], after: null },
    { equals: ['k'], after: { values: [1, 2], id: 'id' } },
    { equals: ['k', 1], after: { values: [2], id: 'id' } },
    { equals: ['k', 1, 2], after: { values: [], id: 'id' } },
  ].map((page) => ({ name: directions.join('_'), directions, page })),
);

test.each(cases)('a page of $name, $page, is found by the index alone', ({ name, directions, page }) => {
  const request = { op: 'find', collection: 'events', index: name, limit: 10, ...page } as const;
  const queries = pageQueries(request, fieldsOf(directions));
  expect(queries).toHaveLength(page.after === null ? 1 : 4 - page.equals.length);
  for (const { sql, values } of queries) {
    const plan = connection
      .statement(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...values, 10)
      .map((row) => textOf(row, 'detail'));
    // No SCAN of a table, and no USE TEMP B-TREE FOR ORDER BY.
    expect(plan).toEqual([
      expect.stringMatching(/^SEARCH i USING PRIMARY KEY \(f0=\?/),
      'SEARCH d USING INTEGER PRIMARY KEY (rowid=?)',
    ]);
    // Every value narrows the search: none is left to a filter.
    expect(plan[0]?.match(/\?/g)).toHaveLength(values.length);
  }
});
