import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from './crc32c.ts';

/** From RFC 3720, B.4, and the usual check value. */
test.each([
  [Buffer.from('123456789'), 0xe3069283],
  [Buffer.alloc(32), 0x8a9136aa],
  [Buffer.alloc(32, 0xff), 0x62a8ab43],
  [Buffer.from(Array.from({ length: 32 }, (_, n) => n)), 0x46dd794e],
  [Buffer.alloc(0), 0],
])('of %j', (bytes, crc) => {
  expect(crc32c(bytes)).toBe(crc);
});

test('does not depend on where the bytes lie', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(7), (bytes, shift) => {
      const moved = Buffer.concat([Buffer.alloc(shift), bytes]).subarray(shift);
      expect(crc32c(moved)).toBe(crc32c(bytes));
    }),
  );
});
