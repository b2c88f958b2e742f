import { expect, test } from '@jest/globals';
import { Ledger } from '../crash/ledger.ts';
import { countAnswers } from '../crash/tally.ts';
import { type FaultsResult, summaryOf, timesByFault } from './summary.ts';

const INJECTIONS = [
  { fault: 'cut-s3', heldMs: 500, recoveryMs: 300, lacked: undefined },
  { fault: 'kill-worker', heldMs: 0, recoveryMs: undefined, lacked: undefined },
  { fault: 'cut-s3', heldMs: 500, recoveryMs: 9_000, lacked: undefined },
  { fault: 'cut-s3', heldMs: 500, recoveryMs: 1_000, lacked: undefined },
];

const RESULT: FaultsResult = {
  seed: 1,
  injections: INJECTIONS,
  kills: {},
  answers: countAnswers(new Ledger()),
  events: 0,
  violations: [],
  seconds: 12.4,
  directory: '/tmp/journal',
};

test('the median is of those that were recovered from', () => {
  expect(timesByFault(INJECTIONS)).toEqual([
    { fault: 'cut-s3', times: 3, recovered: 3, median: 1, worst: 9 },
    { fault: 'kill-worker', times: 1, recovered: 0, median: undefined, worst: undefined },
  ]);
});

test('a run without violations is a table', () => {
  expect(summaryOf(RESULT, 'npm run faults').split('\n').slice(0, 3)).toEqual([
    'fault        times  well again  median  worst',
    'cut-s3           3           3   1.0 s  9.0 s',
    'kill-worker      1           0       -      -',
  ]);
  expect(summaryOf(RESULT, 'npm run faults')).not.toContain('Again:');
});

test('a run with violations tells them, and how to have it again', () => {
  const violations = [{ kind: 'lost', subject: 'transaction/k1', said: '201', found: 'not stored' } as const];
  const summary = summaryOf({ ...RESULT, violations }, 'npm run faults -- --seed 1');
  expect(summary).toContain('VIOLATION lost: transaction/k1');
  expect(summary).toContain('The journal and the logs are kept in /tmp/journal');
  expect(summary).toContain('Again: npm run faults -- --seed 1');
});
