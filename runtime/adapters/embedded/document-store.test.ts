import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedDatabase } from './database.ts';
import { EmbeddedDocumentStore } from './document-store.ts';

let directory: string;
let database: EmbeddedDatabase;
let store: EmbeddedDocumentStore;

const BY_NAME = { name: 'by_name', fields: [{ field: 'name', direction: 'ascending' }] } as const;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mini-platform-'));
  database = await EmbeddedDatabase.open(directory);
  store = new EmbeddedDocumentStore(database);
  await store.ensureCollections([{ name: 'events', indexes: [BY_NAME] }]);
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])(
  'the number %d, which JSON would make null, is invalid wherever it stands',
  async (number) => {
    const document = { _id: 'a', nothing: null, deep: [{ number }] };
    await expect(store.insertMany('events', [{ _id: 'b' }, document])).rejects.toMatchObject({
      kind: 'invalid',
    });
    expect(await store.findByIds('events', ['a', 'b'])).toEqual([undefined, undefined]);
  },
);

test('an id with half a surrogate pair, which UTF-8 would make another, is invalid', async () => {
  await expect(store.insertMany('events', [{ _id: 'a\ud800' }])).rejects.toMatchObject({ kind: 'invalid' });
});

test('ids and indexed values may hold U+0000', async () => {
  const documents = ['a', 'a\0', 'a\0b'].map((_id) => ({ _id, name: _id }));
  expect(await store.insertMany('events', documents)).toEqual(['inserted', 'inserted', 'inserted']);
  const found = await store.find('events', { index: 'by_name', equals: ['a\0b'], limit: 10 });
  expect(found).toEqual([{ _id: 'a\0b', name: 'a\0b' }]);
});

test('a collection that does not exist is invalid', async () => {
  await expect(store.insertMany('none', [{ _id: 'a' }])).rejects.toMatchObject({ kind: 'invalid' });
  await expect(store.findByIds('none', ['a'])).rejects.toMatchObject({ kind: 'invalid' });
});

test('an index that exists with other fields is invalid, and nothing of the call is made', async () => {
  const other = { ...BY_NAME, fields: [{ field: 'other', direction: 'ascending' }] } as const;
  const ensured = store.ensureCollections([
    { name: 'made_with_it', indexes: [] },
    { name: 'events', indexes: [other] },
  ]);
  await expect(ensured).rejects.toMatchObject({ kind: 'invalid' });
  await expect(store.findByIds('made_with_it', ['a'])).rejects.toMatchObject({ kind: 'invalid' });
});

test.each(['', 'Upper', 'a.b', 'a"b', 'x'.repeat(61)])('the collection name %j is invalid', async (name) => {
  await expect(store.ensureCollections([{ name, indexes: [] }])).rejects.toMatchObject({ kind: 'invalid' });
});

test('an answer that would not fit into the reader is invalid, and the reader lives on', async () => {
  const text = 'x'.repeat(5_000_000);
  for (let n = 0; n < 7; n++) await store.insertMany('events', [{ _id: `${n}`, name: 'large', text }]);
  const find = (limit: number): Promise<readonly unknown[]> =>
    store.find('events', { index: 'by_name', equals: ['large'], limit });
  await expect(find(7)).rejects.toMatchObject({ kind: 'invalid' });
  expect(await find(6)).toHaveLength(6);
});
