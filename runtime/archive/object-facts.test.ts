import { describe, expect, test } from '@jest/globals';
import { type ObjectFacts, parseMetadata, toMetadata } from './object-facts.ts';

const facts: ObjectFacts = {
  from: 100n,
  next: 110n,
  count: 8,
  content: {
    first: 101n,
    last: 109n,
    earliest: 1_700_000_000_000,
    latest: 1_700_000_009_000,
    lastTimestamp: 1_700_000_008_000,
    sha256: 'ab'.repeat(32),
  },
};
const loss: ObjectFacts = { from: 3n, next: 9n, count: 0, content: undefined };

describe('the facts of an object', () => {
  test.each([{ facts }, { facts: loss }])('come out of its metadata as they went in', ({ facts: each }) => {
    expect(parseMetadata(toMetadata(each))).toEqual({ ok: true, facts: each });
  });

  test.each([
    {},
    { ...toMetadata(facts), from: '' },
    { ...toMetadata(facts), next: '100' },
    { ...toMetadata(facts), count: '10' },
    { ...toMetadata(facts), count: '-1' },
    { ...toMetadata(facts), first: '99' },
    { ...toMetadata(facts), last: '110' },
    { ...toMetadata(facts), last: '100' },
    { ...toMetadata(facts), sha256: 'xyz' },
    { ...toMetadata(facts), latest: '1e9' },
    { ...toMetadata(loss), next: '3' },
  ])('are not taken from %j', (metadata) => {
    expect(parseMetadata(metadata)).toMatchObject({ ok: false, fault: expect.stringMatching(/./) });
  });
});
