import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isCompactJson } from './compact-json.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const check = (text: string): boolean => isCompactJson(Buffer.from(text));
const plainText = fc.string({
  unit: fc.constantFrom('a', 'é', '漢', '😀', ' ', '/', "'", '\u2028', '{', ','),
});

describe('compact JSON', () => {
  test.each([
    '{}',
    '[]',
    '{"a":1}',
    '{"":[true,false,null,-0,0.5,-12.75,{"b":[]}]}',
    '[[[]],"",{"a":{"b":"c"}}]',
    `{"operation":"bank.transaction","id":"0198","at":1700000000000,"content":{"amount":1250}}`,
  ])('%s is', (text) => {
    expect(check(text)).toBe(true);
  });

  test.each([
    '',
    '{',
    '{}}',
    '{} ',
    '{}\n',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{,}',
    '{a:1}',
    '[1,]',
    '[1 2]',
    '[01]',
    '[-]',
    '[1.]',
    '[.5]',
    '[+1]',
    '[tru]',
    '[truest]',
    '[nul',
    '["a]',
    '["a\tb"]',
    '["\\x"]',
    '[NaN]',
    'null',
    '"text"',
    '1',
  ])('%j is not', (text) => {
    expect(check(text)).toBe(false);
  });

  test('what it says yes to is JSON, whatever the bytes', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '"a"',
      '1',
      '-',
      '.',
      '0',
      'true',
      'null',
      '\\',
      ' ',
    );
    const text = fc.oneof(
      fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join('')),
      fc.array(token, { maxLength: 8 }).map((tokens) => `[${tokens.join('')}]`),
      fc.array(token, { maxLength: 8 }).map((tokens) => `{"a":${tokens.join('')}}`),
    );
    const property = fc.property(text, (each) => !check(each) || isJson(each));
    fc.assert(property, { numRuns: 20_000 });
  });

  test('one byte of JSON changed, put in or taken out: it never takes what is no JSON for JSON', () => {
    const property = fc.property(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom('', '"', '}', ']', ',', ':', '0', ' ', '\\', '\n'),
      fc.boolean(),
      (json, place, put, takesOut) => {
        const at = place % json.length;
        const changed = json.slice(0, at) + put + json.slice(takesOut ? at + 1 : at);
        return !check(changed) || isJson(changed);
      },
    );
    fc.assert(property, { numRuns: 5_000 });
  });

  test('it knows objects as they are usually written', () => {
    const leaf = fc.oneof(
      plainText,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom(0.5, -1.25),
    );
    const content = fc.dictionary(plainText, fc.oneof(leaf, fc.array(leaf), fc.dictionary(plainText, leaf)));
    fc.assert(fc.property(content, (each) => check(JSON.stringify(each))));
  });

  test('what is nested too deeply is left to others', () => {
    expect(check('['.repeat(32) + ']'.repeat(32))).toBe(true);
    expect(check('['.repeat(100_000) + ']'.repeat(100_000))).toBe(false);
  });
});
