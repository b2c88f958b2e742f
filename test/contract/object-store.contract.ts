import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ObjectContent, ObjectStore } from '../../runtime/ports/object-store.ts';
import { expectPortError, unique } from './waiting.ts';

/** An adapter under test, with a place of its own. */
export interface ObjectStoreHarness {
  readonly store: ObjectStore;
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<ObjectStore>;
  dispose(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Runs the object store's contract on an adapter. */
export function describeObjectStore(name: string, open: () => Promise<ObjectStoreHarness>): void {
  describe(`object store: ${name}`, () => {
    let harness: ObjectStoreHarness;
    let store: ObjectStore;
    let bucket: string;

    beforeEach(async () => {
      harness = await open();
      store = harness.store;
      bucket = unique('bucket').replace('_', '-');
      await store.ensureBuckets([bucket]);
    });

    afterEach(async () => {
      await harness.dispose();
    });

    const content = async (key: string, from = bucket): Promise<string> =>
      Buffer.concat(await piecesOf(await contentOf(store, from, key))).toString();
    const list = async (prefix = '', limit = 1_000, after?: string): Promise<string[]> => {
      const page = await store.list(
        bucket,
        after === undefined ? { prefix, limit } : { prefix, limit, after },
      );
      return page.map(({ key }) => key);
    };

    describe('buckets', () => {
      test('are ensured twice without harm, and keep their objects apart', async () => {
        const other = `${bucket}-other`;
        await store.put(bucket, 'key', bytes('here'));
        await store.ensureBuckets([bucket, other]);
        await store.put(other, 'key', bytes('there'));
        expect(await content('key')).toBe('here');
        expect(await content('key', other)).toBe('there');
        await store.ensureBuckets([]);
      });

      test('that do not exist are invalid', async () => {
        const none = `${bucket}-none`;
        await expectPortError(store.put(none, 'key', bytes('x')), 'invalid');
        await expectPortError(store.list(none, { prefix: '', limit: 1 }), 'invalid');
      });
    });

    describe('put', () => {
      test('stores content and metadata', async () => {
        const before = Date.now();
        const metadata = { 'first-offset': '0', 'sha-256': 'x'.repeat(64), note: 'a "quoted" \\ value' };
        const result = await store.put(bucket, 'a/b.gz', bytes('content'), { metadata });
        const head = await store.head(bucket, 'a/b.gz');
        expect(head).toMatchObject({ key: 'a/b.gz', size: 7, metadata });
        expect(result).toEqual({ outcome: 'stored', etag: head?.etag });
        // A service has a clock of its own, and whole seconds.
        expect(Math.abs((head?.modifiedAt ?? 0) - before)).toBeLessThan(60_000);
        expect(await content('a/b.gz')).toBe('content');
        expect(await contentOf(store, bucket, 'a/b.gz')).toMatchObject({ ...head });
      });

      test('replaces an object whole, with its metadata and etag', async () => {
        const first = await store.put(bucket, 'key', bytes('first content'), { metadata: { one: '1' } });
        const second = await store.put(bucket, 'key', bytes('second'), { metadata: { two: '2' } });
        expect(await content('key')).toBe('second');
        const head = await store.head(bucket, 'key');
        expect(head).toMatchObject({ size: 6, metadata: { two: '2' } });
        expect(head?.metadata).not.toHaveProperty('one');
        expect(first).not.toEqual(second);
      });

      test('keeps an empty object, and every byte', async () => {
        const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
        await store.put(bucket, 'empty', new Uint8Array(0));
        await store.put(bucket, 'every', every);
        expect(await content('empty')).toBe('');
        const pieces = await piecesOf(await contentOf(store, bucket, 'every'));
        expect([...Buffer.concat(pieces)]).toEqual([...every]);
      });

      test('with ifAbsent stores only where there is none, and leaves what is there', async () => {
        const put = (text: string): Promise<unknown> =>
          store.put(bucket, 'key', bytes(text), { ifAbsent: true, metadata: { by: text } });
        expect(await put('first')).toMatchObject({ outcome: 'stored' });
        expect(await put('second')).toEqual({ outcome: 'exists' });
        expect(await content('key')).toBe('first');
        expect(await store.head(bucket, 'key')).toMatchObject({ metadata: { by: 'first' } });
        await store.remove(bucket, 'key');
        expect(await put('third')).toMatchObject({ outcome: 'stored' });
      });

      test('of those that race with ifAbsent exactly one is stored, and its content stands', async () => {
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            store.put(bucket, 'raced', bytes(`content ${n}`), { ifAbsent: true }),
          ),
        );
        const winners = results.flatMap(({ outcome }, n) => (outcome === 'stored' ? [n] : []));
        expect(winners).toHaveLength(1);
        expect(await content('raced')).toBe(`content ${winners[0]}`);
      });

      test('is never seen half written, nor with the metadata of another', async () => {
        const size = 300_000;
        const put = (letter: string): Promise<unknown> =>
          store.put(bucket, 'key', Buffer.alloc(size, letter), { metadata: { letter } });
        await put('a');
        const writing = (async (): Promise<void> => {
          for (const letter of 'bcdefgh') await put(letter);
        })();
        for (let n = 0; n < 10; n++) {
          const head = await store.head(bucket, 'key');
          expect(head?.size).toBe(size);
          const letter = head?.metadata['letter'];
          const found = await store.get(bucket, 'key', { unlessEtag: head?.etag ?? '' });
          if (found === undefined || found === 'unchanged') continue;
          expect(found.metadata['letter']).not.toBe(letter);
        }
        await writing;
        expect(await content('key')).toBe('h'.repeat(size));
      });

      test.each<[string, Record<string, string>]>([
        ['upper case', { Upper: 'x' }],
        ['a blank in a name', { 'a b': 'x' }],
        ['a line break', { name: 'a\nb' }],
        ['another script', { name: 'é' }],
        ['more than 2 KB', { name: 'x'.repeat(2_100) }],
      ])('metadata with %s is invalid', async (_, metadata) => {
        await expectPortError(store.put(bucket, 'key', bytes('x'), { metadata }), 'invalid');
        expect(await store.head(bucket, 'key')).toBeUndefined();
      });

      test('an empty key and one of more than 1,024 bytes are invalid', async () => {
        await expectPortError(store.put(bucket, '', bytes('x')), 'invalid');
        await expectPortError(store.put(bucket, 'é'.repeat(513), bytes('x')), 'invalid');
      });

      test.each([
        'with blanks',
        'per%cent%2f',
        'é 漢 😀',
        'UPPER',
        'upper',
        'a+b=c@d',
        '.hidden',
        'deep/er/still.x',
      ])('the key %j comes back as it is', async (key) => {
        await store.put(bucket, key, bytes(key));
        expect(await content(key)).toBe(key);
        expect(await list()).toEqual([key]);
      });
    });

    describe('get', () => {
      test('of an object that does not exist is undefined', async () => {
        expect(await store.get(bucket, 'none')).toBeUndefined();
        expect(await store.head(bucket, 'none')).toBeUndefined();
        expect(await store.get(bucket, 'none', { unlessEtag: 'x' })).toBeUndefined();
      });

      test('with unlessEtag says unchanged, or gives what has changed', async () => {
        const put = await store.put(bucket, 'key', bytes('first'));
        const unlessEtag = put.outcome === 'stored' ? put.etag : '';
        expect(await store.get(bucket, 'key', { unlessEtag })).toBe('unchanged');
        await store.put(bucket, 'key', bytes('second'));
        const changed = await store.get(bucket, 'key', { unlessEtag });
        expect(changed).toMatchObject({ size: 6 });
        expect(changed).not.toMatchObject({ etag: unlessEtag });
      });

      test('gives large content in pieces', async () => {
        const large = Buffer.alloc(5_000_000);
        for (let at = 0; at < large.length; at += 1_000) large.writeUInt32LE(at, at);
        await store.put(bucket, 'large', large);
        const pieces = await piecesOf(await contentOf(store, bucket, 'large'));
        expect(pieces.length).toBeGreaterThan(1);
        expect(Buffer.concat(pieces).equals(large)).toBe(true);
      });

      test('may be left in the middle, and content may be left unread', async () => {
        await store.put(bucket, 'large', Buffer.alloc(1_000_000));
        await contentOf(store, bucket, 'large');
        const { body } = await contentOf(store, bucket, 'large');
        for await (const piece of body) {
          expect(piece.byteLength).toBeGreaterThan(0);
          break;
        }
        await store.remove(bucket, 'large');
        expect(await store.head(bucket, 'large')).toBeUndefined();
      });
    });

    describe('list', () => {
      test('pages through keys in ascending order of their UTF-8 bytes', async () => {
        const keys = [
          'a',
          'a!',
          'a-',
          'a.b',
          'a/b',
          'a0',
          'aa',
          'b/c',
          'b/d/e',
          'é',
          '\u{FFFD}',
          '\u{1F600}',
        ];
        // A folder and an object of one name cannot both exist in every S3 server; "a" is put on its own.
        const wanted = keys.filter((key) => key !== 'a');
        for (const key of wanted.toReversed()) await store.put(bucket, key, bytes(key));
        expect(await list()).toEqual(wanted);
        const walked: string[] = [];
        for (let page = await list('', 4); page.length > 0; page = await list('', 4, page.at(-1))) {
          walked.push(...page);
        }
        expect(walked).toEqual(wanted);
      });

      test('keeps to the prefix, which need not end at a slash', async () => {
        for (const key of ['x/1', 'x/2', 'x/20', 'xy/1', 'z']) await store.put(bucket, key, bytes(key));
        expect(await list('x/')).toEqual(['x/1', 'x/2', 'x/20']);
        expect(await list('x/2')).toEqual(['x/2', 'x/20']);
        expect(await list('x')).toEqual(['x/1', 'x/2', 'x/20', 'xy/1']);
        expect(await list('none')).toEqual([]);
        expect(await list('x/', 1_000, 'x/1')).toEqual(['x/2', 'x/20']);
        expect(await list('x/', 1_000, 'x/15')).toEqual(['x/2', 'x/20']);
        expect(await list('x/', 1_000, 'w')).toEqual(['x/1', 'x/2', 'x/20']);
        expect(await list('x/', 1_000, 'y')).toEqual([]);
      });

      test('tells size, etag and time of each object', async () => {
        await store.put(bucket, 'key', bytes('content'), { metadata: { some: 'thing' } });
        const head = await store.head(bucket, 'key');
        const [listed] = await store.list(bucket, { prefix: '', limit: 1 });
        expect(listed).toMatchObject({ key: 'key', etag: head?.etag, size: 7 });
        expect(Math.abs((listed?.modifiedAt ?? 0) - (head?.modifiedAt ?? 0))).toBeLessThan(2_000);
      });

      test.each([0, 1_001, 1.5])('a limit of %d is invalid', async (limit) => {
        await expectPortError(store.list(bucket, { prefix: '', limit }), 'invalid');
      });
    });

    test('remove removes, and passes over what does not exist', async () => {
      await store.put(bucket, 'a/key', bytes('x'));
      await store.remove(bucket, 'a/key');
      await store.remove(bucket, 'a/key');
      await store.remove(bucket, 'never');
      expect(await store.get(bucket, 'a/key')).toBeUndefined();
      expect(await list()).toEqual([]);
    });

    test('what was stored is there after reopening, as it was', async () => {
      await store.put(bucket, 'a/key', bytes('content'), { metadata: { name: 'value' } });
      const head = await store.head(bucket, 'a/key');
      store = await harness.reopen();
      expect(await store.head(bucket, 'a/key')).toEqual(head);
      expect(await content('a/key')).toBe('content');
      expect(await store.put(bucket, 'a/key', bytes('x'), { ifAbsent: true })).toEqual({ outcome: 'exists' });
    });

    test('calls after closing reject with closed', async () => {
      await store.close();
      const calls: (() => Promise<unknown>)[] = [
        () => store.ensureBuckets([]),
        () => store.put(bucket, 'key', bytes('x')),
        () => store.get(bucket, 'key'),
        () => store.head(bucket, 'key'),
        () => store.list(bucket, { prefix: '', limit: 1 }),
        () => store.remove(bucket, 'key'),
      ];
      for (const call of calls) await expectPortError(call(), 'closed');
      await store.close();
    });
  });
}

async function contentOf(store: ObjectStore, bucket: string, key: string): Promise<ObjectContent> {
  const found = await store.get(bucket, key);
  if (found === undefined || found === 'unchanged') throw new Error(`${key} is ${found ?? 'not there'}`);
  return found;
}

async function piecesOf({ body }: ObjectContent): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return pieces;
}
