import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkKey } from '../object-check.ts';
import { decodeName, encodeKey } from './object-key.ts';

const NASTY = [
  '..',
  '../../etc/passwd',
  '/',
  '//',
  '/a',
  'a/',
  'a//b',
  'a/../b',
  '.',
  'a%2fb',
  'a\0b',
  'A',
  'a@',
  'a=',
  'a+',
  'a+/b=',
  'x'.repeat(1_024),
  '/'.repeat(1_024),
  'é'.repeat(512),
  '\u{1F600}'.repeat(256),
];

const anyKey = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom('a', 'B', '/', '.', '%', '@', '+', '=', 'é'),
      minLength: 1,
      maxLength: 200,
    }),
    fc.constantFrom(...NASTY),
  )
  .filter((key) => Buffer.byteLength(key) <= 1_024);

const decode = (names: readonly string[]): string =>
  Buffer.concat(names.map((name) => decodeName(name)?.bytes ?? Buffer.from('?'))).toString();

describe('the place of a key', () => {
  test('is read back as the key, whatever the key', () => {
    fc.assert(
      fc.property(anyKey, (key) => expect(decode(encodeKey(key))).toBe(key)),
      { numRuns: 1_000 },
    );
  });

  test('is made of plain file names that no system takes for something else', () => {
    const property = fc.property(anyKey, (key) => {
      for (const name of encodeKey(key)) {
        expect(name).toMatch(/^[a-z0-9_%-]*[@=+]$/);
        expect(name.length).toBeLessThanOrEqual(255);
      }
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  test('is a file at the end and folders before it, so that no two keys are in each other’s way', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const kinds = encodeKey(key).map((name) => decodeName(name)?.isObject);
        expect(kinds.pop()).toBe(true);
        expect(kinds).not.toContain(true);
      }),
    );
  });

  test('files that are none of ours are no keys', () => {
    expect(decodeName('.DS_Store')).toBeUndefined();
    expect(decodeName('')).toBeUndefined();
  });

  test.each(['', 'x'.repeat(1_025), 'é'.repeat(513), 'half a pair \ud800'])('is refused to %j', (key) => {
    expect(() => checkKey('call', key)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });
});
