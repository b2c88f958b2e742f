const SEED = 0x9747b28c | 0;
const MULTIPLIER = 0x5bd1e995;
const ROTATION = 24;

/**
 * The hash by which Kafka's default partitioner places keys, as a signed 32-bit integer.
 * Source: org.apache.kafka.common.utils.Utils#murmur2.
 */
export function murmur2(data: Uint8Array): number {
  const length = data.byteLength;
  const view = new DataView(data.buffer, data.byteOffset, length);
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word = Math.imul(view.getInt32(at, true), MULTIPLIER);
    word ^= word >>> ROTATION;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  if (at < length) {
    let rest = 0;
    for (let last = length - 1; last >= at; last--) rest = (rest << 8) | view.getUint8(last);
    hash = Math.imul(hash ^ rest, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** Partition of a key, as Kafka's default partitioner chooses it: toPositive(murmur2(key)) % partitions. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
