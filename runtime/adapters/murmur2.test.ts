import { expect, test } from '@jest/globals';
import { murmur2, partitionOf } from './murmur2.ts';

/** From Kafka's UtilsTest#testMurmur2. */
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of %j is that of Kafka', (text, hash) => {
  const pool = Buffer.from(`xyz${text}`);
  expect(murmur2(pool.subarray(3))).toBe(hash);
});

test('a key goes where Kafka puts it, also when its hash is negative', () => {
  expect(partitionOf(Buffer.from('abc'), 12)).toBe(479470107 % 12);
  expect(partitionOf(Buffer.from('21'), 12)).toBe((-973932308 & 0x7fffffff) % 12);
});
