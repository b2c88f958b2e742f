import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalName, listedName, MAX_NAME, NAME_PATTERN, whyNoName } from './name.ts';

/** What the HTTP schema takes. */
const SHAPE = new RegExp(NAME_PATTERN, 'u');
const isAccepted = (text: string): boolean => SHAPE.test(text) && Array.from(text).length <= MAX_NAME;

describe('a listed name', () => {
  test.each(['alice', 'Ada Lovelace', '漢字', '🦊', 'a'.repeat(MAX_NAME), '🦊'.repeat(MAX_NAME)])(
    'may be %s',
    (name) => {
      expect(listedName(name)).toBe(name);
    },
  );

  test.each([
    ['', 'invisible character or white space'],
    ['a  b', 'invisible character or white space'],
    ['a\tb', 'invisible character or white space'],
    ['a\u0000', 'invisible character or white space'],
    ['a\u200bb', 'invisible character or white space'],
    ['a\ud83e', 'invisible character or white space'],
    ['a'.repeat(MAX_NAME + 1), 'too long'],
    ['🦊'.repeat(MAX_NAME + 1), 'too long'],
  ])('may not be %j: %s', (text, why) => {
    expect(listedName(text)).toBeUndefined();
    expect(whyNoName(text)).toBe(why);
  });

  test('in two spellings is one', () => {
    expect(listedName('Zoe\u0308')).toBe('Zo\u00eb');
    expect(canonicalName('Zoe\u0308')).toBe(canonicalName('Zo\u00eb'));
  });

  test('is found however it and the name of the client are spelled, if the client may bear it', () => {
    // The last ones get longer by normalization: by up to two marks each.
    const letters = fc.constantFrom('a', ' ', 'é', 'e\u0301', '각', '\u0958', '\ufb2c', '\u{1d160}');
    const names = fc.string({
      unit: fc.oneof(letters, fc.string({ minLength: 1, maxLength: 1 })),
      maxLength: 140,
    });
    const property = fc.property(names, fc.constantFrom('NFC', 'NFD', undefined), (name, form) => {
      fc.pre(isAccepted(name));
      expect(listedName(form === undefined ? name : name.normalize(form))).toBe(canonicalName(name));
    });
    fc.assert(property);
    expect(listedName('\ufb2c'.repeat(MAX_NAME).normalize())).toBe(canonicalName('\ufb2c'.repeat(MAX_NAME)));
  });
});
