import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_OFFSET, objectKey, parseObjectKey } from './object-key.ts';

const chain = fc.record({
  topic: fc.stringMatching(/^[A-Za-z0-9._-]{1,200}$/),
  generation: fc.uuid(),
  partition: fc.nat(999),
});
const offset = fc.bigInt({ min: 0n, max: MAX_OFFSET });

describe('the key of an object', () => {
  test('is read as it was made', () => {
    fc.assert(
      fc.property(chain, offset, (each, from) => {
        expect(parseObjectKey(objectKey(each, from))).toEqual({ chain: each, from });
      }),
    );
  });

  test('sorts as the offsets of its chain do', () => {
    fc.assert(
      fc.property(chain, offset, offset, (each, one, other) => {
        expect(objectKey(each, one) < objectKey(each, other)).toBe(one < other);
      }),
    );
  });

  test.each([
    'topic/generation/0/00000000000000000100.ndjson',
    'topic/generation/0/00000000000000000100.ndjson.gz.bak',
    'topic/generation/0/100.ndjson.gz',
    'topic/generation/0/10000000000000000000.ndjson.gz',
    'topic/generation/x/00000000000000000100.ndjson.gz',
    'topic/generation/00/00000000000000000100.ndjson.gz',
    'topic/0/00000000000000000100.ndjson.gz',
    '/topic/generation/0/00000000000000000100.ndjson.gz',
    '.probe/8c1b',
  ])('%s is none', (key) => {
    expect(parseObjectKey(key)).toBeUndefined();
  });
});
