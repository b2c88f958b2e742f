import { expect, test } from '@jest/globals';
import type { DocumentValue, StoredDocument } from '../../ports/document-store.ts';
import { checkDocument, checkSingleDocument } from './document-check.ts';

const CALL = 'document-store.insertMany';

const nested = (levels: number): DocumentValue => (levels === 0 ? 1 : { inner: nested(levels - 1) });

test.each<[string, StoredDocument]>([
  ['half a surrogate pair', { _id: 'a', deep: [{ text: 'x\ud800' }] }],
  ['half a surrogate pair in a name', { _id: 'a', 'x\udc00': 1 }],
  ['half a surrogate pair in an id', { _id: 'a\ud800' }],
  ['a number that is none', { _id: 'a', deep: [[Number.NaN]] }],
  ['an infinite number', { _id: 'a', deep: { number: Number.POSITIVE_INFINITY } }],
  ['an operator', { _id: 'a', $set: { x: 1 } }],
  ['a reference', { _id: 'a', other: { $ref: 'events', $id: 'b' } }],
  ['a type of the driver', { _id: 'a', deep: [{ _bsontype: 'ObjectId' }] }],
  ['a zero in a name', { _id: 'a', 'x\0y': 1 }],
  ['101 levels', { _id: 'a', deep: nested(100) }],
])('%s is invalid', (_, document) => {
  expect(() => checkDocument(CALL, document)).toThrow(
    expect.objectContaining({ kind: 'invalid', call: CALL }),
  );
});

test('an id that is no text is invalid', () => {
  const document = { _id: 7 } as unknown as StoredDocument;
  expect(() => checkDocument(CALL, document)).toThrow(expect.objectContaining({ kind: 'invalid' }));
});

test.each<StoredDocument>([
  { _id: '' },
  { _id: 'a\0b', text: '\0 é 漢 \u{1F600}', 'a.b': { 'c.d': 1, '': null, __proto__x: [] } },
  { _id: 'a', numbers: [-0, 2 ** 53 - 1, -(2 ** 53 - 1), 5e-324], deep: nested(99) },
])('%j is stored as it is', (document) => {
  expect(() => checkSingleDocument(CALL, document)).not.toThrow();
});

test('what is sent alone is measured in bytes of UTF-8', () => {
  const fits = { _id: 'a', text: 'x'.repeat(16 * 1024 * 1024 - 100) };
  expect(() => checkSingleDocument(CALL, fits)).not.toThrow();
  const large = { _id: 'a', text: 'é'.repeat(9 * 1024 * 1024) };
  expect(() => checkSingleDocument(CALL, large)).toThrow(expect.objectContaining({ kind: 'invalid' }));
});
