/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78;

/** Four tables, so that four bytes are taken at a time ("slicing by 4"). */
const TABLES = makeTables();

/** CRC-32C of the bytes, as an unsigned 32-bit integer: what Kafka guards its record batches with (RFC 3720, B.4). */
export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = TABLES;
  const { length } = bytes;
  const whole = length - (length % 4);
  let crc = -1;
  let at = 0;
  for (; at < whole; at += 4) {
    crc ^=
      byteAt(bytes, at) |
      (byteAt(bytes, at + 1) << 8) |
      (byteAt(bytes, at + 2) << 16) |
      (byteAt(bytes, at + 3) << 24);
    crc =
      word(t3, crc & 0xff) ^
      word(t2, (crc >>> 8) & 0xff) ^
      word(t1, (crc >>> 16) & 0xff) ^
      word(t0, crc >>> 24);
  }
  for (; at < length; at++) crc = word(t0, (crc ^ byteAt(bytes, at)) & 0xff) ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}

function makeTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
  const next = (previous: Int32Array): Int32Array =>
    Int32Array.from(previous, (crc) => word(first, crc & 0xff) ^ (crc >>> 8));
  const second = next(first);
  const third = next(second);
  return [first, second, third, next(third)];
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function word(table: Int32Array, at: number): number {
  return table[at] ?? 0;
}
