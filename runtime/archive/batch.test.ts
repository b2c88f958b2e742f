import { gunzipSync } from 'node:zlib';
import { hash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { LogRecord } from '../ports/event-log.ts';
import { Batch } from './batch.ts';
import { decodeLine } from './line.ts';

function record(offset: bigint, timestamp = Number(offset)): LogRecord {
  const value = Buffer.from(JSON.stringify({ n: Number(offset), pad: 'x'.repeat(Number(offset) * 100) }));
  return { partition: 0, offset, timestamp, key: `key ${offset}`, value };
}

function batchOf(from: bigint, offsets: readonly bigint[]): Batch {
  const batch = new Batch(from);
  for (const offset of offsets) batch.add(record(offset));
  return batch;
}

async function offsetsIn(batch: Batch): Promise<readonly (bigint | undefined)[]> {
  const lines = gunzipSync((await batch.pack()).body)
    .toString()
    .split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => decodeLine(line)?.offset);
}

describe('a batch', () => {
  test('packs its records with what is to be known of them', async () => {
    const batch = new Batch(3n);
    batch.add(record(5n, 30));
    batch.add(record(6n, 10));
    batch.add(record(9n, 20));
    const { body, facts } = await batch.pack();
    const sha256 = hash('sha256', body, 'hex');
    const content = { first: 5n, last: 9n, earliest: 10, latest: 30, lastTimestamp: 20, sha256 };
    expect(facts).toEqual({ from: 3n, next: 10n, count: 3, content });
    expect(await offsetsIn(batch)).toEqual([5n, 6n, 9n]);
    expect(batch.bytes).toBe(gunzipSync(body).byteLength);
  });

  test.each([
    { behind: 2n, from: 2n, left: [2n, 3n, 5n] },
    { behind: 3n, from: 3n, left: [3n, 5n] },
    { behind: 4n, from: 4n, left: [5n] },
    { behind: 6n, from: 6n, left: [] },
    { behind: 99n, from: 99n, left: [] },
  ])('has $left left behind $behind', async ({ behind, from, left }) => {
    const rest = batchOf(2n, [2n, 3n, 5n]).behind(behind);
    expect({ from: rest.from, count: rest.count }).toEqual({ from, count: left.length });
    if (left.length === 0) {
      expect(rest.next).toBe(from);
      return;
    }
    rest.add(record(7n));
    expect(await offsetsIn(rest)).toEqual([...left, 7n]);
    expect((await rest.pack()).facts).toMatchObject({ from, next: 8n, count: left.length + 1 });
  });

  test('without a record makes no object', async () => {
    await expect(new Batch(0n).pack()).rejects.toThrow('no object without a record');
  });
});
