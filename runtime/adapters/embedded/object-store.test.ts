import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedObjectStore } from './object-store.ts';

let directory: string;
let store: EmbeddedObjectStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mini-platform-'));
  store = await EmbeddedObjectStore.open(directory);
  await store.ensureBuckets(['bucket']);
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const put = (key: string, text = key): Promise<unknown> => store.put('bucket', key, Buffer.from(text));

async function bodyOf(key: string): Promise<AsyncIterable<Uint8Array>> {
  const found = await store.get('bucket', key);
  if (found === undefined || found === 'unchanged') throw new Error(`${key} is not there`);
  return found.body;
}

async function piecesOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return pieces;
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await piecesOf(body)).toString();
}

test.each(['bucket/..', '..', 'Upper', 'a', 'a..b', '-a-', ''])(
  'the bucket name %j is invalid',
  async (name) => {
    await expect(store.ensureBuckets([name])).rejects.toMatchObject({ kind: 'invalid' });
    await expect(store.get(name, 'key')).rejects.toMatchObject({ kind: 'invalid' });
  },
);

test('a key may be the beginning of another, hold dots and slashes anywhere, and fill 1,024 bytes', async () => {
  const keys = [
    'a',
    'a/',
    'a/b',
    'a//b',
    '/a',
    '..',
    '../..',
    'x'.repeat(64),
    'x'.repeat(1_024),
    '/'.repeat(9),
  ];
  for (const key of keys) await put(key);
  for (const key of keys) expect(await textOf(await bodyOf(key))).toBe(key);
  const listed = (await store.list('bucket', { prefix: '', limit: 1_000 })).map(({ key }) => key);
  expect(listed).toEqual(keys.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))));
});

test('pages are those of a naive sort and filter', async () => {
  const unit = fc.constantFrom('a', 'b', '/', '!', 'é', '\u{FFFD}', '\u{1F600}', 'x'.repeat(63));
  const key = fc.string({ unit, minLength: 1, maxLength: 5 });
  const keys = fc.sample(key, { numRuns: 60, seed: 7 });
  for (const each of keys) await put(each);
  const bytes = (text: string): Buffer => Buffer.from(text);
  const all = [...new Set(keys)].toSorted((one, other) => Buffer.compare(bytes(one), bytes(other)));
  const range = fc.record({
    prefix: fc.oneof(fc.constant(''), key),
    after: fc.option(fc.oneof(key, fc.constantFrom(...all))),
    limit: fc.integer({ min: 1, max: 20 }),
  });
  const property = fc.asyncProperty(range, async ({ prefix, after, limit }) => {
    const options = after === null ? { prefix, limit } : { prefix, limit, after };
    const listed = (await store.list('bucket', options)).map((info) => info.key);
    const wanted = all.filter(
      (each) => each.startsWith(prefix) && (after === null || Buffer.compare(bytes(each), bytes(after)) > 0),
    );
    expect(listed).toEqual(wanted.slice(0, limit));
  });
  await fc.assert(property, { numRuns: 100 });
});

test('what a crash left half written is gone after opening, and never was an object', async () => {
  await put('key');
  await writeFile(join(directory, 'new', 'left over'), 'half');
  store = await EmbeddedObjectStore.open(directory);
  expect(await readdir(join(directory, 'new'))).toEqual([]);
  expect((await store.list('bucket', { prefix: '', limit: 10 })).map(({ key }) => key)).toEqual(['key']);
});

test('puts leave nothing behind, also those that find an object there', async () => {
  await put('key');
  await store.put('bucket', 'key', Buffer.from('x'), { ifAbsent: true });
  expect(await readdir(join(directory, 'new'))).toEqual([]);
});

test('the etag is that of the content alone', async () => {
  const first = await store.put('bucket', 'one', Buffer.from('same'), { metadata: { a: '1' } });
  const second = await store.put('bucket', 'two', Buffer.from('same'));
  expect(first).toEqual(second);
});

test('content comes in pieces of 64 KiB', async () => {
  await store.put('bucket', 'large', Buffer.alloc(150_000));
  const sizes = (await piecesOf(await bodyOf('large'))).map(({ byteLength }) => byteLength);
  expect(sizes).toEqual([65_536, 65_536, 150_000 - 131_072]);
});

test('content that was replaced or removed before it is read is an error, not another content', async () => {
  await put('key', 'first');
  const first = await bodyOf('key');
  await put('key', 'second');
  await expect(textOf(first)).rejects.toMatchObject({ kind: 'unavailable' });
  const second = await bodyOf('key');
  await store.remove('bucket', 'key');
  await expect(textOf(second)).rejects.toMatchObject({ kind: 'unavailable' });
});

test('content that is replaced while it is read goes on as it was', async () => {
  await put('key', 'a'.repeat(100_000));
  const pieces: string[] = [];
  for await (const piece of await bodyOf('key')) {
    if (pieces.length === 0) await put('key', 'b'.repeat(100_000));
    pieces.push(Buffer.from(piece).toString());
  }
  expect(pieces.join('')).toBe('a'.repeat(100_000));
});

test('a file that is cut short is an error, not an object', async () => {
  await put('key', 'content');
  const path = join(directory, 'buckets', 'bucket', 'key@');
  await truncate(path, 120);
  await expect((async () => textOf(await bodyOf('key')))()).rejects.toMatchObject({ kind: 'unavailable' });
});

test('may be read beside its owner, whose half-written objects stay', async () => {
  await put('key', 'text');
  const halfWritten = join(directory, 'new', 'half');
  await writeFile(halfWritten, 'ha');
  const reader = EmbeddedObjectStore.openForReading(directory);
  expect(await reader.list('bucket', { prefix: '', limit: 10 })).toMatchObject([{ key: 'key', size: 4 }]);
  expect(await readdir(join(directory, 'new'))).toEqual(['half']);
  await expect(reader.list('other', { prefix: '', limit: 10 })).rejects.toMatchObject({ kind: 'invalid' });
});

test('says which file is damaged', async () => {
  await put('key');
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const file = files.find((entry) => entry.isFile());
  const path = join(file?.parentPath ?? '', file?.name ?? '');
  await writeFile(path, '');
  await expect(store.head('bucket', 'key')).rejects.toThrow(`is damaged: ${path}`);
});
