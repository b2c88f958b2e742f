import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareUtf8 } from './utf8-order.ts';

test('orders strings as their UTF-8 bytes are ordered', () => {
  const unit = fc.constantFrom('a', '\u{7FF}', '\u{D7FF}', '\u{E000}', '\u{FFFD}', '\u{10000}', '\u{10FFFF}');
  const text = fc.oneof(fc.string({ unit, maxLength: 4 }), fc.string({ unit: 'binary', maxLength: 4 }));
  const property = fc.property(text, text, (one, other) => {
    const bytes = Buffer.compare(Buffer.from(one), Buffer.from(other));
    expect(Math.sign(compareUtf8(one, other))).toBe(bytes);
  });
  fc.assert(property, { numRuns: 1_000 });
});
