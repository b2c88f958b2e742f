import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from './crc32c.ts';
import { BATCH_OVERHEAD, decodeBatches, encodeBatch, encodeBody, recordSize } from './record-batch.ts';
import { WireWriter } from './wire.ts';

const identity = { producerId: 9n, producerEpoch: 1, baseSequence: 4 };
const AT = 1_700_000_000_000;

function bodyOf(key: string | null, value: string | null): Buffer {
  const out = new WireWriter();
  encodeBody(out, key, value === null ? null : Buffer.from(value));
  return out.written;
}

/** A batch at an offset, as a broker stores it; `change` may alter what the checksum covers. */
function stored(
  offset: bigint,
  values: readonly string[],
  change: (batch: Buffer) => Buffer = (it) => it,
): Buffer {
  const plain = encodeBatch(
    values.map((value) => bodyOf('key', value)),
    AT,
    identity,
  );
  const batch = change(plain);
  batch.writeBigInt64BE(offset, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}
const texts = (bytes: Buffer, from = 0n): string[] =>
  decodeBatches(bytes, 0, from).records.map(
    ({ offset, value }) => `${offset} ${Buffer.from(value ?? []).toString()}`,
  );

test('one record, byte for byte', () => {
  const batch = encodeBatch([bodyOf('k', 'v')], 1, { producerId: 2n, producerEpoch: 3, baseSequence: 4 });
  const covered = [
    '0000', // attributes
    '00000000', // last offset delta
    '0000000000000001', // first timestamp
    '0000000000000001', // greatest timestamp
    '0000000000000002', // producer
    '0003', // epoch
    '00000004', // sequence
    '00000001', // records
    '10' + '00' + '00' + '00' + '02' + '6b' + '02' + '76' + '00',
  ].join('');
  const crc = crc32c(Buffer.from(covered, 'hex')).toString(16).padStart(8, '0');
  expect(batch.toString('hex')).toBe(`${'00'.repeat(8)}0000003affffffff02${crc}${covered}`);
  expect(batch.length).toBe(BATCH_OVERHEAD + recordSize(bodyOf('k', 'v'), 0));
});

test('what is encoded is decoded again', () => {
  const text = fc.option(fc.string({ unit: 'grapheme' }), { nil: null });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 200 }), (pairs) => {
      const bodies = pairs.map(([key, value]) => bodyOf(key, value));
      const { records, nextOffset } = decodeBatches(encodeBatch(bodies, AT, identity), 3, 0n);
      expect(records).toEqual(
        pairs.map(([key, value], n) => ({
          partition: 3,
          offset: BigInt(n),
          key,
          value: value === null ? null : Buffer.from(value),
          timestamp: AT,
        })),
      );
      expect(nextOffset).toBe(BigInt(pairs.length));
    }),
  );
});

test('begins at the offset asked for, within a batch, and leaves out one that is cut off', () => {
  const bytes = Buffer.concat([stored(5n, ['a', 'b', 'c']), stored(9n, ['d']), stored(10n, ['e'])]);
  expect(texts(bytes, 6n)).toEqual(['6 b', '7 c', '9 d', '10 e']);
  expect(texts(bytes.subarray(0, -1), 6n)).toEqual(['6 b', '7 c', '9 d']);
  expect(decodeBatches(bytes.subarray(0, 40), 0, 6n)).toEqual({ records: [], nextOffset: 6n });
});

test('tells where to go on behind a batch whose records were compacted away', () => {
  const emptied = stored(5n, ['a', 'b', 'c'], (batch) => {
    const empty = Buffer.from(batch.subarray(0, BATCH_OVERHEAD));
    empty.writeInt32BE(0, BATCH_OVERHEAD - 4);
    return empty;
  });
  expect(decodeBatches(emptied, 0, 5n)).toEqual({ records: [], nextOffset: 8n });
  expect(texts(Buffer.concat([emptied, stored(20n, ['d'])]), 5n)).toEqual(['20 d']);
});

test('passes over the marks of transactions', () => {
  const mark = stored(5n, ['mark'], (batch) => {
    batch.writeInt16BE(0x30, 21);
    return batch;
  });
  expect(decodeBatches(mark, 0, 5n)).toEqual({ records: [], nextOffset: 6n });
});

test('takes the time of the broker where the topic says so', () => {
  const appended = stored(0n, ['a', 'b'], (batch) => {
    batch.writeInt16BE(0x08, 21);
    batch.writeBigInt64BE(BigInt(AT + 5), 35);
    return batch;
  });
  expect(decodeBatches(appended, 0, 0n).records.map(({ timestamp }) => timestamp)).toEqual([AT + 5, AT + 5]);
});

test('reads what was compressed by gzip, and refuses what it cannot read, with what to do', () => {
  const compressed = (algorithm: number) => (batch: Buffer) => {
    batch.writeInt16BE(algorithm, 21);
    return Buffer.concat([batch.subarray(0, BATCH_OVERHEAD), gzipSync(batch.subarray(BATCH_OVERHEAD))]);
  };
  expect(texts(stored(0n, ['a', 'b'], compressed(1)))).toEqual(['0 a', '1 b']);
  expect(() => texts(stored(0n, ['a'], compressed(3)))).toThrow(
    "records are compressed by lz4, which cannot be read: set the topic's compression.type to producer",
  );
});

test('a batch that is damaged is an error', () => {
  const batch = stored(0n, ['a']);
  batch[batch.length - 2] = 0x62;
  expect(() => texts(batch)).toThrow('the batch at offset 0 is damaged');
});
