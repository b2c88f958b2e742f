import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeCursor, encodeCursor } from './cursor.ts';

const position = fc.record({
  at: fc.maxSafeNat(),
  kind: fc.string({ unit: 'binary', maxLength: 20 }),
  id: fc.string({ unit: 'binary', maxLength: 128 }),
});
const scope = fc.string({ unit: 'binary' });
const INVALID = expect.objectContaining({ name: 'PlatformError', code: 'INVALID_CURSOR' });

function refused(inScope: string, cursor: string): void {
  expect(() => decodeCursor(inScope, cursor)).toThrow(INVALID);
}

/** A cursor of another making. */
function forged(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('a cursor', () => {
  test('leads back to its position, and needs no escaping in a URL', () => {
    fc.assert(
      fc.property(scope, position, (list, place) => {
        const cursor = encodeCursor(list, place);
        expect(decodeCursor(list, cursor)).toEqual(place);
        expect(encodeURIComponent(cursor)).toBe(cursor);
      }),
    );
  });

  test('of another list is refused', () => {
    fc.assert(
      fc.property(scope, scope, position, (list, other, place) => {
        fc.pre(list !== other);
        refused(other, encodeCursor(list, place));
      }),
    );
  });

  test('that this list did not give is refused, whatever it is', () => {
    fc.assert(fc.property(scope, fc.string({ unit: 'binary' }), refused));
    fc.assert(
      fc.property(scope, fc.json(), (list, json) => refused(list, Buffer.from(json).toString('base64url'))),
    );
  });

  test.each([
    ['another version', (own: unknown[]) => own.with(0, 2)],
    ['a text for the time', (own: unknown[]) => own.with(2, '5')],
    ['a negative time', (own: unknown[]) => own.with(2, -1)],
    ['a fraction of a time', (own: unknown[]) => own.with(2, 1.5)],
    ['a time beyond 2^53', (own: unknown[]) => own.with(2, 2 ** 53)],
    ['a number for the kind', (own: unknown[]) => own.with(3, 1)],
    ['null for the id', (own: unknown[]) => own.with(4, null)],
    ['an element too many', (own: unknown[]) => [...own, 1]],
    ['an element too few', (own: unknown[]) => own.slice(1)],
  ])('with %s is refused', (_what, change) => {
    const own: unknown = JSON.parse(
      Buffer.from(encodeCursor('list', { at: 5, kind: 'k', id: 'i' }), 'base64url').toString(),
    );
    if (!Array.isArray(own)) throw new Error('a cursor is an array');
    refused('list', forged(change(own)));
  });

  test('that is too long is refused unread', () => {
    refused('list', encodeCursor('list', { at: 1, kind: '', id: 'x'.repeat(2_048) }));
  });

  test('has room for the longest id and name there can be', () => {
    const place = { at: Number.MAX_SAFE_INTEGER, kind: 'transaction', id: '🦊'.repeat(128) };
    expect(decodeCursor('list', encodeCursor('list', place))).toEqual(place);
  });
});
