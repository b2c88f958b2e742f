import { expect, test } from '@jest/globals';
import type { IndexField } from '../../ports/document-store.ts';
import { pageQueries } from './page-query.ts';

const CALL = 'document-store.find';
const FIELDS: readonly IndexField[] = [
  { field: 'clients', direction: 'ascending' },
  { field: 'at', direction: 'descending' },
];
const PAGE = { index: 'by_client', equals: ['ann'], limit: 10 };
const ORDERED = { $type: ['string', 'number'] };

test('a first page is one query in the order of the index', () => {
  expect(pageQueries(CALL, FIELDS, PAGE)).toEqual([
    { filter: { clients: { $eq: 'ann' }, at: ORDERED }, sort: { at: -1, _id: -1 } },
  ]);
});

test('behind a position come its ties, then what lies beyond: a seek each', () => {
  expect(pageQueries(CALL, FIELDS, { ...PAGE, after: { values: ['x'], id: 'i' } })).toEqual([
    { filter: { clients: { $eq: 'ann' }, at: { $eq: 'x' }, _id: { $lt: 'i' } }, sort: { _id: -1 } },
    {
      filter: { clients: { $eq: 'ann' }, at: { ...ORDERED, $not: { $gte: 'x' } } },
      sort: { at: -1, _id: -1 },
    },
  ]);
});

test.each([
  ['ascending', 5, { ...ORDERED, $not: { $lte: 5 } }],
  ['ascending', 'x', { $gt: 'x' }],
  ['descending', 5, { $lt: 5 }],
  ['descending', 'x', { ...ORDERED, $not: { $gte: 'x' } }],
] as const)(
  '%s behind %j lies what has another type too, where that type stands behind',
  (direction, value, at) => {
    const fields: readonly IndexField[] = [
      { field: 'clients', direction: 'ascending' },
      { field: 'at', direction },
    ];
    const [, beyond] = pageQueries(CALL, fields, { ...PAGE, after: { values: [value], id: 'i' } });
    expect(beyond?.filter).toEqual({ clients: { $eq: 'ann' }, at });
  },
);

test.each([
  { ...PAGE, equals: [] },
  { ...PAGE, equals: ['ann', 1, 2] },
  { ...PAGE, after: { values: [], id: 'i' } },
  { ...PAGE, after: { values: [1, 2], id: 'i' } },
])('%j does not fit the index', (options) => {
  expect(() => pageQueries(CALL, FIELDS, options)).toThrow(expect.objectContaining({ kind: 'invalid' }));
});
