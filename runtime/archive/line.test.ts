import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LogRecord } from '../ports/event-log.ts';
import { decodeLine, lineBound, writeLine } from './line.ts';

function lineOf(record: LogRecord): string {
  const into = Buffer.alloc(lineBound(record));
  const end = writeLine(record, into, 0);
  const text = into.toString('utf8', 0, end);
  expect(text.endsWith('\n')).toBe(true);
  expect(text.indexOf('\n')).toBe(text.length - 1);
  return text.slice(0, -1);
}

function record(value: string | Uint8Array | null, key: string | null = 'key'): LogRecord {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return { partition: 0, offset: 7n, timestamp: 1_700_000_000_000, key, value: bytes };
}

describe('a line', () => {
  test.each([
    { value: '{"id":"a","n":1}', line: '"value":{"id":"a","n":1}' },
    { value: ' { "id" : 1 } ', line: '"value": { "id" : 1 } ' },
    { value: '{\n  "id": 1\n}', line: '"value":{   "id": 1 }' },
    { value: '12345678901234567890', line: '"value":12345678901234567890' },
    { value: '{"n":1e400}', line: '"value":{"n":1e400}' },
    { value: '{"a":"\\u00e9\\n"}', line: '"value":{"a":"\\u00e9\\n"}' },
    { value: '"text"', line: '"value":"text"' },
    { value: null, line: '"value":null' },
    { value: 'null', line: '"valueBase64":"bnVsbA=="' },
    { value: '', line: '"valueBase64":""' },
    { value: 'no JSON', line: '"valueBase64":"bm8gSlNPTg=="' },
    { value: '{}{}', line: '"valueBase64":"e317fQ=="' },
    { value: Uint8Array.of(0x22, 0xff, 0x22), line: '"valueBase64":"Iv8i"' },
  ])('of $value has $line', ({ value, line }) => {
    expect(lineOf(record(value))).toBe(`{"offset":7,"timestamp":1700000000000,"key":"key",${line}}`);
  });

  test('may have no key, or a key with quotes, line breaks and half a surrogate pair', () => {
    expect(lineOf(record('1', null))).toBe('{"offset":7,"timestamp":1700000000000,"key":null,"value":1}');
    const key = 'a"\\\n\u2028\ud800';
    expect(JSON.parse(lineOf(record('1', key)))).toMatchObject({ key });
  });

  test('is valid JSON and is read as it was written, whatever the record', () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.uint8Array({ maxLength: 30 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text)),
    );
    const anyRecord = fc.record({
      partition: fc.constant(0),
      offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
      timestamp: fc.integer({ min: -1, max: 8_640_000_000_000_000 }),
      key: fc.option(fc.string({ unit: 'binary', maxLength: 20 })),
      value,
    });
    const property = fc.property(anyRecord, (each) => {
      const line = lineOf(each);
      JSON.parse(line);
      const { partition, ...rest } = each;
      const bytes =
        each.value === null ? null : Buffer.from(each.value).toString('latin1').replaceAll('\n', ' ');
      const read = decodeLine(line);
      const isJson = !line.includes('"valueBase64"');
      expect(partition).toBe(0);
      expect({ ...read, value: read?.value && Buffer.from(read.value).toString('latin1') }).toEqual({
        ...rest,
        value: isJson ? bytes : each.value && Buffer.from(each.value).toString('latin1'),
      });
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  test.each([
    '',
    '{}',
    '{"offset":1,"timestamp":2,"key":null,"value":}',
    '{"offset":1,"timestamp":2,"key":null,"value":{}',
    '{"offset":-1,"timestamp":2,"key":null,"value":{}}',
    '{"offset":1,"timestamp":2,"key":"a"b","value":{}}',
    '{"offset":1,"timestamp":2,"key":null,"valueBase64":7}',
    ' {"offset":1,"timestamp":2,"key":null,"value":{}}',
  ])('%s is none', (line) => {
    expect(decodeLine(line)).toBeUndefined();
  });
});
