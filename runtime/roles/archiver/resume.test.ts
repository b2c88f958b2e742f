import { describe, expect, test } from '@jest/globals';
import type { ObjectFacts } from '../../archive/object-facts.ts';
import { resumePoint } from './resume.ts';

const chain = { topic: 'topic', generation: 'generation', partition: 3 };
const sha256 = '0'.repeat(64);
const content = { first: 50n, last: 99n, earliest: 1, latest: 9, lastTimestamp: 7, sha256 };
const last: ObjectFacts = { from: 50n, next: 100n, count: 50, content };
const loss: ObjectFacts = { from: 50n, next: 100n, count: 0, content: undefined };

describe('archiving goes on', () => {
  test.each([
    {
      name: 'at 0 without an archive',
      last: undefined,
      start: 0n,
      end: 0n,
      timestampInLog: undefined,
      from: 0n,
    },
    { name: 'behind the last object', last, start: 0n, end: 100n, timestampInLog: 7, from: 100n },
    { name: 'where the log begins', last, start: 100n, end: 500n, timestampInLog: undefined, from: 100n },
    { name: 'behind a loss', last: loss, start: 100n, end: 500n, timestampInLog: undefined, from: 100n },
  ])('$name', ({ last: each, start, end, timestampInLog, from }) => {
    const range = { partition: 3, start, end };
    expect(resumePoint({ chain, bucket: 'bucket', last: each, range, timestampInLog })).toBe(from);
  });
});

describe('archiving stops', () => {
  test.each([
    {
      name: 'the log lost what was never archived',
      facts: { last: undefined, range: { partition: 3, start: 5n, end: 9n }, timestampInLog: undefined },
      reason: 'records-lost',
      says: 'bucket/topic/generation/3/00000000000000000000.ndjson.gz that has the metadata from=0, next=5, count=0',
    },
    {
      name: 'the log lost what is behind the archive',
      facts: { last, range: { partition: 3, start: 101n, end: 200n }, timestampInLog: undefined },
      reason: 'records-lost',
      says: 'begins at offset 101, but the archive has it up to 100 only',
    },
    {
      name: 'the log ends before the archive',
      facts: { last, range: { partition: 3, start: 0n, end: 99n }, timestampInLog: undefined },
      reason: 'log-behind',
      says: 'ends at offset 99, but the archive has it up to 100',
    },
    {
      name: 'the log has another record than was archived',
      facts: { last, range: { partition: 3, start: 0n, end: 300n }, timestampInLog: 8 },
      reason: 'other-log',
      says: 'another record at offset 99 than was archived',
    },
  ])('when $name', ({ facts, reason, says }) => {
    expect(() => resumePoint({ chain, bucket: 'bucket', ...facts })).toThrow(
      expect.objectContaining({ reason, message: expect.stringContaining(says) }),
    );
  });
});
