import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ErrorCode, ERRORS } from '../errors.ts';
import type { StoredDocument } from '../ports/document-store.ts';
import { type EventRecord, fromDocument, type StoredVerdict, toDocument, toLogValue } from './event.ts';

const TAKEN = ['_id', 'bodyHash', 'verdict', 'at', 'bootId', 'content', '__proto__'];
const field = fc.string({ minLength: 1 }).filter((name) => !TAKEN.includes(name));
const value = fc.oneof(
  fc.string(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string()),
);
const fields = fc.dictionary(field, value, { noNullPrototype: true });
const verdicts: StoredVerdict[] = ['INSERTED', 'DISCARDED', ...(Object.keys(ERRORS) as ErrorCode[])];

const record: fc.Arbitrary<EventRecord> = fc.record({
  id: fc.string({ minLength: 1 }),
  bodyHash: fc.base64String(),
  verdict: fc.constantFrom(...verdicts),
  at: fc.maxSafeNat(),
  bootId: fc.uuid(),
  content: fields,
  lookup: fields,
});

const STORED: StoredDocument = {
  _id: 'e1',
  bodyHash: 'hash',
  verdict: 'INSERTED',
  at: 1,
  bootId: 'boot',
  content: { amount: 5 },
};

describe('an event record', () => {
  test('is found again in its document', () => {
    fc.assert(fc.property(record, (event) => expect(fromDocument(toDocument(event))).toEqual(event)));
  });

  test('keeps its own fields where a lookup field would take their name', () => {
    const event = fromDocument(STORED);
    const lookup = { _id: 'other', verdict: 'DISCARDED', clients: ['ada'] };
    expect(fromDocument(toDocument({ ...event, lookup }))).toEqual({
      ...event,
      lookup: { clients: ['ada'] },
    });
  });

  test.each([
    ['no body hash', { bodyHash: null }],
    ['a number for the verdict', { verdict: 1 }],
    ['an unknown verdict', { verdict: 'MAYBE' }],
    ['a verdict from the prototype', { verdict: 'constructor' }],
    ['a text for the time', { at: '1' }],
    ['no boot id', { bootId: null }],
    ['no content', { content: null }],
    ['a list for its content', { content: [] }],
    ['a text for its content', { content: 'text' }],
  ])('is not in a document with %s', (_what, foreign) => {
    expect(() => fromDocument({ ...STORED, ...foreign })).toThrow('a stored document is not an event');
  });

  test('is not in a document of someone else', () => {
    expect(() => fromDocument({ _id: 'x', name: 'foreign' })).toThrow('a stored document is not an event');
  });

  test('goes to the log as one JSON object, without what is for the store alone', () => {
    const event = fromDocument({ ...STORED, content: { name: 'Zoë 🦊' }, clients: ['Zoë 🦊'] });
    expect(JSON.parse(new TextDecoder().decode(toLogValue('test.pay', event)))).toEqual({
      operation: 'test.pay',
      id: 'e1',
      at: 1,
      bodyHash: 'hash',
      content: { name: 'Zoë 🦊' },
    });
  });
});
