import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { StoredRecord } from './record-pack.ts';
import { packAppend, packStored, unpackAppend, unpackStored } from './record-pack.ts';

const key = fc.option(fc.string({ unit: 'grapheme', maxLength: 20 }));
const value = fc.option(fc.uint8Array({ maxLength: 50 }));
const topic = fc.constantFrom('one', 'two', 'three');

const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString();
const list = (bytes: Uint8Array | null): number[] | null => (bytes === null ? null : [...bytes]);

test('records to append come out of the pack as they went in', () => {
  const property = fc.property(fc.array(fc.record({ topic, key, value })), (records) => {
    const { topics, payload } = packAppend(records);
    const unpacked = [...unpackAppend(payload)].map((record) => ({
      topic: topics[record.topic],
      key: text(record.key),
      value: list(record.value),
    }));
    expect(unpacked).toEqual(records.map((record) => ({ ...record, value: list(record.value) })));
  });
  fc.assert(property);
});

test('stored records come out of the pack as they went in', () => {
  const offset = fc.maxSafeNat();
  const property = fc.property(
    fc.array(fc.record({ offset, at: fc.maxSafeNat(), key, value })),
    (records) => {
      const stored: StoredRecord[] = records.map((record) => ({
        offset: record.offset,
        at: record.at,
        keyBytes: record.key === null ? null : Buffer.byteLength(record.key),
        valueBytes: record.value === null ? null : record.value.byteLength,
        content: Buffer.concat([Buffer.from(record.key ?? ''), record.value ?? Buffer.alloc(0)]),
      }));
      const unpacked = unpackStored(7, packStored(stored)).map((record) => ({
        ...record,
        value: list(record.value),
      }));
      expect(unpacked).toEqual(
        records.map((record) => ({
          partition: 7,
          offset: BigInt(record.offset),
          timestamp: record.at,
          key: record.key,
          value: list(record.value),
        })),
      );
    },
  );
  fc.assert(property);
});
