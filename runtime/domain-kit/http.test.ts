import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { eventIdOf, Name, nextCursor, pageOf } from './http.ts';

const INVALID = expect.objectContaining({ name: 'PlatformError', code: 'INVALID_IDEMPOTENCY_KEY' });
const LONGEST = 'k'.repeat(128);

describe('the id of an event', () => {
  test.each([
    ['key-1', undefined, 'key-1'],
    ['"key-1"', undefined, 'key-1'],
    [undefined, 'body-1', 'body-1'],
    ['same', 'same', 'same'],
    ['"same"', 'same', 'same'],
    ['a"b', undefined, 'a"b'],
    [LONGEST, undefined, LONGEST],
    [`"${LONGEST}"`, undefined, LONGEST],
    ['!~', undefined, '!~'],
  ])('header %j and body %j: %j', (header, body, id) => {
    expect(eventIdOf(header, body)).toBe(id);
  });

  test.each([
    ['', undefined],
    ['""', undefined],
    ['a b', undefined],
    [' key', undefined],
    ['key\t', undefined],
    ['k\u0000', undefined],
    ['schlüssel', undefined],
    ['🦊', undefined],
    [`${LONGEST}k`, undefined],
    ['one, two', undefined],
    ['one', 'two'],
    ['key', 'KEY'],
  ])('header %j and body %j are refused', (header, body) => {
    expect(() => eventIdOf(header, body)).toThrow(INVALID);
  });

  test('is a new UUIDv7 where none is given', () => {
    const ids = Array.from({ length: 100 }, () => eventIdOf(undefined, undefined));
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  test('is printable ASCII without spaces, whatever the header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 150 }), (header) => {
        try {
          expect(eventIdOf(header, undefined)).toMatch(/^[\x21-\x7e]{1,128}$/);
        } catch (error) {
          expect(error).toEqual(INVALID);
        }
      }),
    );
  });
});

describe('a name', () => {
  const isName = new Ajv({ allErrors: true }).compile<string>(Name);

  test.each([
    ['one letter', 'a'],
    ['words', 'Ada Lovelace'],
    ['marks', 'O\'Neill-Smith, Jr. (no. 7) & <co> / \\ "x"'],
    ['letters with accents', 'Zoë Ångström'],
    ['accents of their own', 'Zoe\u0308'],
    ['other scripts', '山田 太郎'],
    ['an emoji', '🦊 fox'],
    ['an emoji with a variation selector', '❤\ufe0f'],
    ['128 characters', 'a'.repeat(128)],
    ['128 characters of four bytes', '🦊'.repeat(128)],
    ['what looks like code', '__proto__'],
  ])('may be %s', (_what, name) => {
    expect(isName(name)).toBe(true);
  });

  test.each([
    ['empty', ''],
    ['a space', ' '],
    ['a leading space', ' ada'],
    ['a trailing space', 'ada '],
    ['two spaces', 'ada  lovelace'],
    ['a tab', 'ada\tlovelace'],
    ['a line break', 'ada\nlovelace'],
    ['a line break at the end', 'ada\n'],
    ['a NUL', 'a\u0000b'],
    ['DEL', 'a\u007fb'],
    ['a C1 control', 'a\u0085b'],
    ['a no-break space', 'a\u00a0b'],
    ['an ideographic space', 'a\u3000b'],
    ['a line separator', 'a\u2028b'],
    ['a zero-width space', 'a\u200bb'],
    ['a right-to-left override', 'a\u202eb'],
    ['a byte-order mark', '\ufeffada'],
    ['a lone high surrogate', 'a\ud83e'],
    ['a lone low surrogate', '\udd8aa'],
    ['a private character', 'a\ue000'],
    ['a code point that is not assigned', 'a\u0378'],
    ['129 characters', 'a'.repeat(129)],
    ['129 characters of four bytes', '🦊'.repeat(129)],
  ])('may not be or have %s', (_what, name) => {
    expect(isName(name)).toBe(false);
  });

  test('is checked in a time that grows with its length only', () => {
    const from = performance.now();
    expect(isName(`${'a '.repeat(64_000)} `)).toBe(false);
    expect(isName(`${'ab '.repeat(42)}\u0000`)).toBe(false);
    expect(performance.now() - from).toBeLessThan(500);
  });
});

describe('a page', () => {
  test('is of 20 from the start where nothing is asked', () => {
    expect(pageOf({}, 'list')).toEqual({ limit: 20, after: undefined });
  });

  test('goes on where the cursor of the one before says, in the same list only', () => {
    const next = { at: 5, kind: 'k', id: 'i' };
    const cursor = nextCursor('list', next) ?? '';
    expect(pageOf({ limit: '7', cursor }, 'list')).toEqual({ limit: 7, after: next });
    expect(() => pageOf({ cursor }, 'other')).toThrow(expect.objectContaining({ code: 'INVALID_CURSOR' }));
    expect(nextCursor('list', undefined)).toBeNull();
  });
});
