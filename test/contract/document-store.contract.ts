import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type {
  CollectionSpec,
  DocumentStore,
  IndexField,
  IndexValue,
  StoredDocument,
} from '../../runtime/ports/document-store.ts';
import { expectPortError, unique } from './waiting.ts';

/** An adapter under test, with a place of its own. */
export interface DocumentStoreHarness {
  readonly store: DocumentStore;
  /** Closes the store and everything behind it in this process, and opens it again on the same data. */
  reopen(): Promise<DocumentStore>;
  dispose(): Promise<void>;
}

const ascending = (field: string): IndexField => ({ field, direction: 'ascending' });
const descending = (field: string): IndexField => ({ field, direction: 'descending' });

const BY_CLIENT = { name: 'by_client', fields: [ascending('clients'), descending('at')] };

/** Runs the document store's contract on an adapter. */
export function describeDocumentStore(name: string, open: () => Promise<DocumentStoreHarness>): void {
  describe(`document store: ${name}`, () => {
    let harness: DocumentStoreHarness;
    let store: DocumentStore;
    let collection: string;

    const ensure = (...indexes: CollectionSpec['indexes']): Promise<void> =>
      store.ensureCollections([{ name: collection, indexes }]);

    const idsOf = (found: readonly StoredDocument[]): string[] => found.map(({ _id }) => _id);

    beforeEach(async () => {
      harness = await open();
      store = harness.store;
      collection = unique('events');
    });

    afterEach(async () => {
      await harness.dispose();
    });

    describe('collections', () => {
      test('ensuring twice changes nothing', async () => {
        await ensure(BY_CLIENT);
        await store.insertMany(collection, [{ _id: 'a', clients: ['ann'], at: 1 }]);
        await ensure(BY_CLIENT);
        const found = await store.find(collection, { index: 'by_client', equals: ['ann'], limit: 10 });
        expect(idsOf(found)).toEqual(['a']);
      });

      test('an index that is added later finds the documents that were there before', async () => {
        await ensure();
        await store.insertMany(collection, [
          { _id: 'a', clients: ['ann', 'bob'], at: 1 },
          { _id: 'b', clients: ['bob'], at: 2 },
          { _id: 'c', at: 3 },
        ]);
        await ensure(BY_CLIENT);
        const found = await store.find(collection, { index: 'by_client', equals: ['bob'], limit: 10 });
        expect(idsOf(found)).toEqual(['b', 'a']);
      });

      test('several collections are made at once and do not share documents', async () => {
        const other = unique('other');
        await store.ensureCollections([
          { name: collection, indexes: [] },
          { name: other, indexes: [BY_CLIENT] },
        ]);
        expect(await store.insertMany(collection, [{ _id: 'a' }])).toEqual(['inserted']);
        expect(await store.insertMany(other, [{ _id: 'a', n: 1 }])).toEqual(['inserted']);
        expect(await store.findByIds(collection, ['a'])).toEqual([{ _id: 'a' }]);
      });

      test('no collections at all are ensured at once', async () => {
        await store.ensureCollections([]);
      });
    });

    describe('insertMany', () => {
      beforeEach(() => ensure(BY_CLIENT));

      test('an empty batch has no results', async () => {
        expect(await store.insertMany(collection, [])).toEqual([]);
      });

      test('keeps every kind of value', async () => {
        const document = {
          _id: 'every kind',
          text: 'é 漢 😀 "quoted" \\ \u0001',
          empty: '',
          truth: [true, false],
          nothing: null,
          numbers: [0, -1, 1.5, 1e300, 2 ** 53 - 1, -(2 ** 53 - 1)],
          nested: { list: [{ deep: [] }], object: {} },
        };
        expect(await store.insertMany(collection, [document])).toEqual(['inserted']);
        expect(await store.findByIds(collection, ['every kind'])).toEqual([document]);
      });

      test('a duplicate stays as it was and the others are inserted, in the order of the documents', async () => {
        await store.insertMany(collection, [{ _id: 'b', n: 1 }]);
        const results = await store.insertMany(collection, [
          { _id: 'a', n: 2 },
          { _id: 'b', n: 2 },
          { _id: 'c', n: 2 },
        ]);
        expect(results).toEqual(['inserted', 'duplicate', 'inserted']);
        expect(await store.findByIds(collection, ['a', 'b', 'c'])).toEqual([
          { _id: 'a', n: 2 },
          { _id: 'b', n: 1 },
          { _id: 'c', n: 2 },
        ]);
      });

      test('an id that came earlier in the same call is a duplicate', async () => {
        const results = await store.insertMany(collection, [
          { _id: 'a', n: 1 },
          { _id: 'a', n: 2 },
          { _id: 'b', n: 3 },
          { _id: 'a', n: 4 },
        ]);
        expect(results).toEqual(['inserted', 'duplicate', 'inserted', 'duplicate']);
        expect(await store.findByIds(collection, ['a'])).toEqual([{ _id: 'a', n: 1 }]);
      });

      test('of concurrent inserts of one id exactly one is inserted, and its document stands', async () => {
        const results = await Promise.all(
          Array.from({ length: 50 }, (_, n) => store.insertMany(collection, [{ _id: 'one', n }])),
        );
        const winners = results.flatMap(([result], n) => (result === 'inserted' ? [n] : []));
        expect(winners).toHaveLength(1);
        expect(await store.findByIds(collection, ['one'])).toEqual([{ _id: 'one', n: winners[0] }]);
      });

      test('takes 1,000 documents in a call', async () => {
        const documents = Array.from({ length: 1_000 }, (_, n) => ({
          _id: `d${n}`,
          clients: ['ann'],
          at: n,
        }));
        const results = await store.insertMany(collection, documents);
        expect(results).toEqual(documents.map(() => 'inserted'));
        const again = await store.insertMany(collection, documents);
        expect(again).toEqual(documents.map(() => 'duplicate'));
        const found = await store.find(collection, { index: 'by_client', equals: ['ann'], limit: 1_000 });
        expect(idsOf(found)).toEqual(idsOf(documents).reverse());
      });

      test('a duplicate is not found by the fields of the refused document', async () => {
        await store.insertMany(collection, [{ _id: 'a', clients: ['ann'], at: 1 }]);
        await store.insertMany(collection, [{ _id: 'a', clients: ['bob'], at: 1 }]);
        expect(await store.find(collection, { index: 'by_client', equals: ['bob'], limit: 10 })).toEqual([]);
      });

      test('a document that is too large is invalid, none of its batch is inserted, the rest goes alone', async () => {
        const large = { _id: 'large', text: 'x'.repeat(17 * 1024 * 1024) };
        await expectPortError(store.insertMany(collection, [{ _id: 'small' }, large]), 'invalid');
        expect(await store.findByIds(collection, ['small', 'large'])).toEqual([undefined, undefined]);
        expect(await store.insertMany(collection, [{ _id: 'small' }])).toEqual(['inserted']);
      });

      test('keeps ids apart that differ in case, in blanks or beyond the basic plane', async () => {
        const ids = ['a', 'A', 'a ', ' a', 'é', 'e\u0301', '\u{1F600}', '\u{1F601}', 'x'.repeat(500)];
        const results = await store.insertMany(
          collection,
          ids.map((_id) => ({ _id })),
        );
        expect(results).toEqual(ids.map(() => 'inserted'));
        expect(await store.findByIds(collection, ids)).toEqual(ids.map((_id) => ({ _id })));
      });
    });

    describe('findByIds', () => {
      beforeEach(() => ensure());

      test('answers in the order of the ids, undefined where there is none, repeated ids repeatedly', async () => {
        await store.insertMany(collection, [{ _id: 'a' }, { _id: 'b' }]);
        const found = await store.findByIds(collection, ['b', 'none', 'a', 'b']);
        expect(found).toEqual([{ _id: 'b' }, undefined, { _id: 'a' }, { _id: 'b' }]);
      });

      test('no ids, no documents', async () => {
        expect(await store.findByIds(collection, [])).toEqual([]);
      });

      test('takes 1,000 ids', async () => {
        const ids = Array.from({ length: 1_000 }, (_, n) => `id${n}`);
        await store.insertMany(
          collection,
          ids.map((_id) => ({ _id })),
        );
        expect(await store.findByIds(collection, ids)).toEqual(ids.map((_id) => ({ _id })));
      });

      test('more than 1,000 ids are invalid', async () => {
        const ids = Array.from({ length: 1_001 }, (_, n) => `id${n}`);
        await expectPortError(store.findByIds(collection, ids), 'invalid');
      });
    });

    describe('find', () => {
      test('finds by equality on the first fields, in the order of the index', async () => {
        await ensure({ name: 'by_state', fields: [ascending('state'), ascending('price')] });
        await store.insertMany(collection, [
          { _id: 'a', state: 'new', price: 30 },
          { _id: 'b', state: 'sold', price: 5 },
          { _id: 'c', state: 'new', price: 10 },
          { _id: 'd', state: 'new', price: 20 },
        ]);
        const page = { index: 'by_state', limit: 10 };
        expect(idsOf(await store.find(collection, { ...page, equals: ['new'] }))).toEqual(['c', 'd', 'a']);
        expect(idsOf(await store.find(collection, { ...page, equals: ['new', 20] }))).toEqual(['d']);
        expect(await store.find(collection, { ...page, equals: ['none'] })).toEqual([]);
      });

      test('finds a document by each element of an array, once each', async () => {
        await ensure(BY_CLIENT);
        await store.insertMany(collection, [
          { _id: 'both', clients: ['ann', 'bob'], at: 2 },
          { _id: 'self', clients: ['ann', 'ann'], at: 1 },
          { _id: 'none', clients: [], at: 3 },
          { _id: 'plain', clients: 'ann', at: 4 },
        ]);
        const of = (client: string): Promise<readonly StoredDocument[]> =>
          store.find(collection, { index: 'by_client', equals: [client], limit: 10 });
        expect(idsOf(await of('ann'))).toEqual(['plain', 'both', 'self']);
        expect(idsOf(await of('bob'))).toEqual(['both']);
      });

      test('a document without one of the fields is not in the index', async () => {
        await ensure(BY_CLIENT);
        await store.insertMany(collection, [
          { _id: 'whole', clients: ['ann'], at: 1 },
          { _id: 'no time', clients: ['ann'] },
          { _id: 'no client', at: 1 },
        ]);
        const found = await store.find(collection, { index: 'by_client', equals: ['ann'], limit: 10 });
        expect(idsOf(found)).toEqual(['whole']);
      });

      test.each([
        ['ascending', ['a', 'b', 'c']],
        ['descending', ['c', 'b', 'a']],
      ] as const)('breaks ties by id, %s with the last field', async (direction, ids) => {
        await ensure({ name: 'by_client', fields: [ascending('clients'), { field: 'at', direction }] });
        await store.insertMany(
          collection,
          ['b', 'a', 'c'].map((_id) => ({ _id, clients: ['ann'], at: 1 })),
        );
        const found = await store.find(collection, { index: 'by_client', equals: ['ann'], limit: 10 });
        expect(idsOf(found)).toEqual(ids);
      });

      test('continues behind a position among ties, also when its document is gone', async () => {
        await ensure(BY_CLIENT);
        const documents = ['a', 'b', 'c', 'd', 'e'].map((_id) => ({ _id, clients: ['ann'], at: 7 }));
        await store.insertMany(collection, documents);
        const page = { index: 'by_client', equals: ['ann'], limit: 2 };
        expect(idsOf(await store.find(collection, page))).toEqual(['e', 'd']);
        const after = { values: [7], id: 'd' };
        await store.remove(collection, ['d']);
        expect(idsOf(await store.find(collection, { ...page, after }))).toEqual(['c', 'b']);
      });

      test('orders strings by UTF-8 bytes: the astral planes come last', async () => {
        await ensure({ name: 'by_kind', fields: [ascending('kind'), ascending('name')] });
        // By UTF-16 code units, U+1F600 (a surrogate pair) would stand before U+FFFD.
        const names = ['', 'A', 'a', 'aa', 'é', '漢', '\u{FFFD}', '\u{1F600}'];
        await store.insertMany(
          collection,
          names.map((each, n) => ({ _id: `n${n}`, kind: 'k', name: each })).reverse(),
        );
        const found = await store.find(collection, { index: 'by_kind', equals: ['k'], limit: 10 });
        expect(found.map((document) => document['name'])).toEqual(names);
      });

      test('orders and tells apart integers up to 2^53 - 1', async () => {
        await ensure({ name: 'by_client', fields: [ascending('client'), ascending('amount')] });
        const amounts = [-(2 ** 53 - 1), -1.5, 0, 0.5, 1, 2 ** 31, 2 ** 53 - 2, 2 ** 53 - 1];
        await store.insertMany(
          collection,
          amounts.map((amount, n) => ({ _id: `n${n}`, client: 'ann', amount })).reverse(),
        );
        const page = { index: 'by_client', limit: 10 };
        const found = await store.find(collection, { ...page, equals: ['ann'] });
        expect(found.map((document) => document['amount'])).toEqual(amounts);
        const largest = await store.find(collection, { ...page, equals: ['ann', 2 ** 53 - 1] });
        expect(idsOf(largest)).toEqual(['n7']);
      });

      test('a number does not equal its text', async () => {
        await ensure({ name: 'by_client', fields: [ascending('client')] });
        await store.insertMany(collection, [
          { _id: 'text', client: '1' },
          { _id: 'number', client: 1 },
        ]);
        const of = (client: IndexValue): Promise<readonly StoredDocument[]> =>
          store.find(collection, { index: 'by_client', equals: [client], limit: 10 });
        expect(idsOf(await of('1'))).toEqual(['text']);
        expect(idsOf(await of(1))).toEqual(['number']);
      });

      test.each([0, 1_001, 1.5, -1])('a limit of %d is invalid', async (limit) => {
        await ensure(BY_CLIENT);
        await expectPortError(
          store.find(collection, { index: 'by_client', equals: ['ann'], limit }),
          'invalid',
        );
      });

      test('an unknown index, and equality on no field or on too many, are invalid', async () => {
        await ensure(BY_CLIENT);
        const find = (index: string, equals: readonly IndexValue[]): Promise<unknown> =>
          store.find(collection, { index, equals, limit: 10 });
        await expectPortError(find('none', ['ann']), 'invalid');
        await expectPortError(find('by_client', []), 'invalid');
        await expectPortError(find('by_client', ['ann', 1, 2]), 'invalid');
      });

      test('walking the pages gives each document once, in order, whatever directions and ties', async () => {
        const directions = [
          [descending('x'), descending('y')],
          [ascending('x'), ascending('y')],
          [descending('x'), ascending('y')],
          [ascending('x'), descending('y')],
        ];
        await ensure(
          ...directions.map((rest, n) => ({ name: `index${n}`, fields: [ascending('k'), ...rest] })),
        );
        const property = fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 25 }),
          fc.integer({ min: 1, max: 7 }),
          fc.nat(3),
          async (places, limit, n) => {
            const k = unique('k');
            const documents = places.map(([x, y], place) => ({ _id: `${k}-${place + 10}`, k, x, y }));
            await store.insertMany(collection, documents);
            const walked = await walk(store, collection, { index: `index${n}`, k, limit });
            expect(walked).toEqual(sortedBy(documents, directions[n] ?? []));
          },
        );
        await fc.assert(property, { numRuns: 15 });
      });
    });

    describe('findByIdRange', () => {
      beforeEach(() => ensure());

      test('from is inclusive, to exclusive, in ascending order, up to the limit', async () => {
        const ids = ['stream:01', 'stream:02', 'stream:03', 'stream:04', 'stream;', 'strea'];
        await store.insertMany(
          collection,
          ids.map((_id) => ({ _id })),
        );
        const range = async (from: string, to: string, limit = 10): Promise<string[]> =>
          idsOf(await store.findByIdRange(collection, { from, to, limit }));
        expect(await range('stream:', 'stream;')).toEqual(ids.slice(0, 4));
        expect(await range('stream:02', 'stream:04')).toEqual(['stream:02', 'stream:03']);
        expect(await range('stream:', 'stream;', 3)).toEqual(ids.slice(0, 3));
        expect(await range('x', 'y')).toEqual([]);
        expect(await range('stream:04', 'stream:01')).toEqual([]);
      });

      test('orders ids by UTF-8 bytes', async () => {
        const ids = ['u', 'uA', 'ua', 'ué', 'u漢', 'u\u{FFFD}', 'u\u{1F600}'];
        await store.insertMany(
          collection,
          ids.map((_id) => ({ _id })),
        );
        const found = await store.findByIdRange(collection, { from: 'u', to: 'v', limit: 100 });
        expect(idsOf(found)).toEqual(ids);
      });
    });

    describe('replace', () => {
      beforeEach(() => ensure(BY_CLIENT));

      test('stores a document that is new, and in place of another, whole', async () => {
        await store.replace(collection, { _id: 'a', clients: ['ann'], at: 1, old: true });
        await store.replace(collection, { _id: 'a', clients: ['bob'], at: 2 });
        expect(await store.findByIds(collection, ['a'])).toEqual([{ _id: 'a', clients: ['bob'], at: 2 }]);
        const of = (client: string): Promise<readonly StoredDocument[]> =>
          store.find(collection, { index: 'by_client', equals: [client], limit: 10 });
        expect(await of('ann')).toEqual([]);
        expect(idsOf(await of('bob'))).toEqual(['a']);
      });

      test('replaceIf replaces only where every field is as expected', async () => {
        await store.insertMany(collection, [{ _id: 'a', version: 1, state: 'new' }]);
        const next = { _id: 'a', version: 2, state: 'sold' };
        expect(await store.replaceIf(collection, next, { version: 2 })).toBe(false);
        expect(await store.replaceIf(collection, next, { version: 1, state: 'sold' })).toBe(false);
        expect(await store.replaceIf(collection, next, { none: 1 })).toBe(false);
        expect(await store.findByIds(collection, ['a'])).toEqual([{ _id: 'a', version: 1, state: 'new' }]);
        expect(await store.replaceIf(collection, next, { version: 1, state: 'new' })).toBe(true);
        expect(await store.findByIds(collection, ['a'])).toEqual([next]);
      });

      test('replaceIf never creates a document', async () => {
        expect(await store.replaceIf(collection, { _id: 'a', version: 1 }, { version: 0 })).toBe(false);
        expect(await store.findByIds(collection, ['a'])).toEqual([undefined]);
      });

      test('of concurrent replacements of one version exactly one succeeds', async () => {
        await store.insertMany(collection, [{ _id: 'a', version: 1 }]);
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, by) =>
            store.replaceIf(collection, { _id: 'a', version: 2, by }, { version: 1 }),
          ),
        );
        const winners = outcomes.flatMap((won, by) => (won ? [by] : []));
        expect(winners).toHaveLength(1);
        expect(await store.findByIds(collection, ['a'])).toEqual([{ _id: 'a', version: 2, by: winners[0] }]);
      });
    });

    describe('remove', () => {
      beforeEach(() => ensure(BY_CLIENT));

      test('removes by id, also from the indexes, and passes over ids that do not exist', async () => {
        await store.insertMany(
          collection,
          ['a', 'b', 'c'].map((_id) => ({ _id, clients: ['ann'], at: 1 })),
        );
        await store.remove(collection, ['a', 'none', 'c', 'a']);
        await store.remove(collection, []);
        expect(await store.findByIds(collection, ['a', 'b', 'c'])).toMatchObject([
          undefined,
          { _id: 'b' },
          undefined,
        ]);
        const found = await store.find(collection, { index: 'by_client', equals: ['ann'], limit: 10 });
        expect(idsOf(found)).toEqual(['b']);
        expect(await store.insertMany(collection, [{ _id: 'a' }])).toEqual(['inserted']);
      });
    });

    describe('closing', () => {
      test('what was acknowledged is there after reopening', async () => {
        await ensure(BY_CLIENT);
        await store.insertMany(collection, [
          { _id: 'a', clients: ['ann'], at: 1 },
          { _id: 'b', clients: ['ann'], at: 2 },
          { _id: 'c', clients: ['ann'], at: 3 },
        ]);
        await store.replace(collection, { _id: 'b', clients: ['ann'], at: 9 });
        await store.remove(collection, ['c']);
        store = await harness.reopen();
        await ensure(BY_CLIENT);
        expect(await store.insertMany(collection, [{ _id: 'a' }])).toEqual(['duplicate']);
        const found = await store.find(collection, { index: 'by_client', equals: ['ann'], limit: 10 });
        expect(found).toEqual([
          { _id: 'b', clients: ['ann'], at: 9 },
          { _id: 'a', clients: ['ann'], at: 1 },
        ]);
      });

      test('calls after closing reject with closed', async () => {
        await ensure(BY_CLIENT);
        await store.close();
        const calls: (() => Promise<unknown>)[] = [
          () => ensure(),
          () => store.insertMany(collection, [{ _id: 'a' }]),
          () => store.insertMany(collection, []),
          () => store.findByIds(collection, ['a']),
          () => store.find(collection, { index: 'by_client', equals: ['ann'], limit: 1 }),
          () => store.findByIdRange(collection, { from: 'a', to: 'b', limit: 1 }),
          () => store.replace(collection, { _id: 'a' }),
          () => store.replaceIf(collection, { _id: 'a' }, { n: 1 }),
          () => store.remove(collection, ['a']),
        ];
        for (const call of calls) await expectPortError(call(), 'closed');
        await store.close();
      });
    });
  });
}

interface Placed {
  readonly _id: string;
  readonly x: number;
  readonly y: number;
}

/** All pages of a query, by their positions. */
async function walk(
  store: DocumentStore,
  collection: string,
  { index, k, limit }: { readonly index: string; readonly k: string; readonly limit: number },
): Promise<readonly StoredDocument[]> {
  const walked: StoredDocument[] = [];
  let page = await store.find(collection, { index, equals: [k], limit });
  while (page.length > 0) {
    walked.push(...page);
    const last = page.at(-1);
    const after = { values: [Number(last?.['x']), Number(last?.['y'])], id: String(last?._id) };
    page = await store.find(collection, { index, equals: [k], limit, after });
  }
  return walked;
}

function sortedBy(documents: readonly Placed[], [first, second]: readonly IndexField[]): Placed[] {
  const x = first?.direction === 'ascending' ? 1 : -1;
  const y = second?.direction === 'ascending' ? 1 : -1;
  return documents.toSorted(
    (one, other) => x * (one.x - other.x) || y * (one.y - other.y) || y * (one._id < other._id ? -1 : 1),
  );
}
