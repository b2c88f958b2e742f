import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredDocument } from '../../ports/document-store.ts';
import { EmbeddedDatabase } from './database.ts';
import { EmbeddedDocumentStore } from './document-store.ts';

const BY_NAME = {
  name: 'by_name',
  fields: [
    { field: 'names', direction: 'ascending' },
    { field: 'at', direction: 'descending' },
  ],
} as const;

let directory: string;
let database: EmbeddedDatabase;
let store: EmbeddedDocumentStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mini-platform-'));
  await open();
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

async function open(): Promise<void> {
  database = await EmbeddedDatabase.open(directory);
  store = new EmbeddedDocumentStore(database);
  await store.ensureCollections([{ name: 'events', indexes: [BY_NAME] }]);
}

const find = async (name: string): Promise<readonly string[]> => {
  const found = await store.find('events', { index: 'by_name', equals: [name], limit: 100 });
  return found.map(({ _id }) => _id);
};

const event = (_id: string, names: readonly string[], at: number): StoredDocument => ({ _id, names, at });

test('a query sees every insert that was answered before it', async () => {
  for (let n = 0; n < 30; n++) {
    await store.insertMany('events', [event(`e${n}`, ['ann', `other${n}`], n)]);
    expect(await find('ann')).toHaveLength(n + 1);
    expect(await find(`other${n}`)).toEqual([`e${n}`]);
  }
});

test('an index that is new to a collection is filled before ensureCollections resolves', async () => {
  const documents = Array.from({ length: 3_000 }, (_, n) => ({ _id: `e${n}`, kind: `k${n % 100}` }));
  await store.insertMany('events', documents);
  const byKind = { name: 'by_kind', fields: [{ field: 'kind', direction: 'ascending' }] } as const;
  await store.ensureCollections([{ name: 'events', indexes: [BY_NAME, byKind] }]);
  const found = await store.find('events', { index: 'by_kind', equals: ['k7'], limit: 100 });
  expect(found).toHaveLength(30);
});

test('a removed document is not found, and one inserted under its id is, also after a restart', async () => {
  await store.insertMany('events', [event('a', ['ann'], 1), event('b', ['ann'], 2)]);
  expect(await find('ann')).toEqual(['b', 'a']);
  await store.remove('events', ['b']);
  await database.close();
  await open();
  expect(await find('ann')).toEqual(['a']);
  await store.insertMany('events', [event('b', ['bob'], 3)]);
  expect(await find('ann')).toEqual(['a']);
  expect(await find('bob')).toEqual(['b']);
});

test.each(['deleted', 'damaged'])('an index file that was %s is made again', async (what) => {
  await store.insertMany('events', [event('a', ['ann'], 1), event('b', ['ann'], 2)]);
  expect(await find('ann')).toEqual(['b', 'a']);
  await database.close();
  if (what === 'deleted') await rm(join(directory, 'index.db'));
  else await writeFile(join(directory, 'index.db'), 'not a database'.repeat(1_000));
  await open();
  expect(await find('ann')).toEqual(['b', 'a']);
});

test('indexes that are ahead of the data, which was put back from a copy, are made again', async () => {
  await store.insertMany('events', [event('a', ['ann'], 1)]);
  await database.close();
  await cp(join(directory, 'data.db'), join(directory, 'copy.db'));
  await open();
  await store.insertMany('events', [event('b', ['ann'], 2)]);
  expect(await find('ann')).toEqual(['b', 'a']);
  await database.close();
  await cp(join(directory, 'copy.db'), join(directory, 'data.db'));
  await open();
  expect(await find('ann')).toEqual(['a']);
  await store.insertMany('events', [event('c', ['ann'], 3)]);
  expect(await find('ann')).toEqual(['c', 'a']);
});

test('whatever is inserted, replaced, removed and reopened, queries give what the documents say', async () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd');
  const document = fc.record({
    id,
    names: fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 2 }),
    at: fc.integer({ min: 0, max: 3 }),
  });
  const step = fc.oneof(
    document.map((value) => ({ kind: 'insert' as const, ...value })),
    document.map((value) => ({ kind: 'replace' as const, ...value })),
    id.map((value) => ({ kind: 'remove' as const, id: value })),
    fc.constant({ kind: 'query' as const }),
    fc.constant({ kind: 'reopen' as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      await store.remove('events', ['a', 'b', 'c', 'd']);
      const model = new Map<string, { readonly names: readonly string[]; readonly at: number }>();
      const check = async (): Promise<void> => {
        for (const name of ['x', 'y', 'z']) {
          const expected = [...model]
            .filter(([, { names }]) => names.includes(name))
            .sort(([p, a], [q, b]) => b.at - a.at || (p < q ? 1 : -1))
            .map(([key]) => key);
          expect(await find(name)).toEqual(expected);
        }
      };
      for (const each of steps) {
        switch (each.kind) {
          case 'insert':
            await store.insertMany('events', [event(each.id, each.names, each.at)]);
            if (!model.has(each.id)) model.set(each.id, each);
            break;
          case 'replace':
            await store.replace('events', event(each.id, each.names, each.at));
            model.set(each.id, each);
            break;
          case 'remove':
            await store.remove('events', [each.id]);
            model.delete(each.id);
            break;
          case 'query':
            await check();
            break;
          case 'reopen':
            await database.close();
            await open();
        }
      }
      await check();
    }),
    { numRuns: 25 },
  );
}, 120_000);
