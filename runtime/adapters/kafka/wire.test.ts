import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { varintSize, WireReader, WireWriter } from './wire.ts';

test('what is written is read again', () => {
  fc.assert(
    fc.property(
      fc.record({
        byte: fc.integer({ min: -128, max: 127 }),
        short: fc.integer({ min: -32768, max: 32767 }),
        int: fc.integer(),
        long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        text: fc.string({ unit: 'grapheme' }),
        unsigned: fc.nat(2 ** 31 - 1),
        bytes: fc.uint8Array({ maxLength: 600 }),
      }),
      ({ byte, short, int, long, text, unsigned, bytes }) => {
        const out = new WireWriter(1);
        out.int8(byte).int16(short).int32(int).int64(long).boolean(true).string(text).string(undefined);
        out.unsignedVarint(unsigned).varint(int).compactString(text).bytes(bytes);
        const from = new WireReader(out.written);
        expect([from.int8(), from.int16(), from.int32(), from.int64()]).toEqual([byte, short, int, long]);
        expect([from.boolean(), from.string(), from.nullableString()]).toEqual([true, text, undefined]);
        expect([from.unsignedVarint(), from.varint(), from.compactString()]).toEqual([unsigned, int, text]);
        expect([...from.bytes(bytes.length)]).toEqual([...bytes]);
        expect(from.remaining).toBe(0);
      },
    ),
  );
});

/** Examples of the encoding of Protocol Buffers, which Kafka's is. */
test.each([
  [0, '00'],
  [-1, '01'],
  [1, '02'],
  [63, '7e'],
  [64, '8001'],
  [2147483647, 'feffffff0f'],
  [-2147483648, 'ffffffff0f'],
])('the signed varint of %i is %s', (value, hex) => {
  expect(new WireWriter().varint(value).written.toString('hex')).toBe(hex);
  expect(varintSize(value)).toBe(hex.length / 2);
  expect(new WireReader(Buffer.from(hex, 'hex')).varlong()).toBe(BigInt(value));
});

test('tagged fields are passed over', () => {
  const from = new WireReader(Buffer.from('0201036162630500ff', 'hex'));
  from.skipTags();
  expect(from.int8()).toBe(-1);
});

test('a message that ends too early is an error, and so is a length that cannot be', () => {
  expect(() => new WireReader(Buffer.from('0005aa', 'hex')).string()).toThrow(RangeError);
  expect(() => new WireReader(Buffer.alloc(3)).int32()).toThrow(RangeError);
  expect(() => new WireReader(Buffer.alloc(3)).bytes(-1)).toThrow(RangeError);
  expect(() => new WireReader(Buffer.alloc(9, 0xff)).unsignedVarint()).toThrow(RangeError);
});
