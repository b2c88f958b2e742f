import { expect, test } from '@jest/globals';
import type { Phase } from './child/phase-tally.ts';
import { faultsOf } from './verdict.ts';

function phase(answers: Readonly<Record<string, number>>, withoutRetryAfter = 0): Phase {
  const nothing = { accepted: undefined, refused: undefined, settledAfter: 0, requests: 1 };
  return { name: 'overload', answers, withoutRetryAfter, ...nothing };
}

test('2xx and 503 with Retry-After are right', () => {
  expect(
    faultsOf({ phases: [phase({ '201': 1, '202': 2, '503 NOT_ATTEMPTED': 3 })], rss: undefined }),
  ).toEqual([]);
});

test.each([
  ['another answer', [phase({ '500 INTERNAL': 2 })], 'overload: 2 requests were answered 500 INTERNAL'],
  ['a cut connection', [phase({ 'cut ECONNRESET': 1 })], 'overload: 1 requests were answered cut ECONNRESET'],
  ['a bare 503', [phase({ '503 NOT_ATTEMPTED': 3 }, 3)], 'overload: 3 answers 503 had no Retry-After'],
])('%s is a fault', (_what, phases, fault) => {
  expect(faultsOf({ phases, rss: undefined })).toEqual([fault]);
});

test('memory without bound is a fault', () => {
  const rss = { before: 1e8, peak: 9e8, after: 9e8 };
  expect(faultsOf({ phases: [], rss })).toEqual(['the platform took 900000000 bytes of memory']);
});
