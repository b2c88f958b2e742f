import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fakeOf } from '../../test/helpers/fakes.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { lastObject } from './chain-end.ts';
import { type Chain, objectKey } from './object-key.ts';

const chain: Chain = { topic: 'topic', generation: 'generation', partition: 1 };

/** A store of these keys, which counts how often it is asked. */
function storeOf(keys: readonly string[]): { readonly objects: ObjectStore; readonly calls: () => number } {
  const sorted = [...new Set(keys)].toSorted();
  let calls = 0;
  const objects = fakeOf<ObjectStore>({
    list: (_bucket, { prefix, after = '', limit }) => {
      calls += 1;
      const page = sorted.filter((key) => key.startsWith(prefix) && key > after).slice(0, limit);
      return Promise.resolve(page.map((key) => ({ key, etag: '', size: 0, modifiedAt: 0 })));
    },
  });
  return { objects, calls: () => calls };
}

describe('the last object of a chain', () => {
  test('is found wherever it is, beside other chains and foreign keys', async () => {
    const starts = fc.array(fc.bigInt({ min: 0n, max: 100_000n }), { maxLength: 400 });
    const property = fc.asyncProperty(starts, fc.bigInt({ min: 0n, max: 200_000n }), async (froms, hint) => {
      const { objects } = storeOf([
        ...froms.map((from) => objectKey(chain, from)),
        objectKey({ ...chain, partition: 10 }, 999_999n),
        objectKey({ ...chain, generation: 'other' }, 999_999n),
        `${objectKey(chain, 5n)}.bak`,
        `${objectKey(chain, 500_000n)}.bak`,
        'topic/generation/1/stray',
      ]);
      const last = froms.reduce<bigint | undefined>(
        (greatest, each) => (greatest === undefined || each > greatest ? each : greatest),
        undefined,
      );
      expect(await lastObject({ objects, bucket: 'bucket' }, chain, hint)).toBe(last);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test('of a short chain is found in one call', async () => {
    const { objects, calls } = storeOf([0n, 10n, 20n].map((from) => objectKey(chain, from)));
    expect(await lastObject({ objects, bucket: 'bucket' }, chain, 30n)).toBe(20n);
    expect(calls()).toBe(1);
  });

  test('of a long chain is found without reading it all', async () => {
    const froms = Array.from({ length: 20_000 }, (_, place) => BigInt(place * 1_000));
    const { objects, calls } = storeOf(froms.map((from) => objectKey(chain, from)));
    expect(await lastObject({ objects, bucket: 'bucket' }, chain, 20_000_000n)).toBe(19_999_000n);
    expect(calls()).toBeLessThan(15);
  });

  test('is found where the log is shorter than the archive', async () => {
    const froms = Array.from({ length: 2_000 }, (_, place) => BigInt(place * 1_000));
    const { objects } = storeOf(froms.map((from) => objectKey(chain, from)));
    expect(await lastObject({ objects, bucket: 'bucket' }, chain, 7n)).toBe(1_999_000n);
  });
});
