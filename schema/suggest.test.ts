import { expect, test } from '@jest/globals';
import { nearest } from './suggest.ts';

const known = ['replicas', 'maxMembers', 'resources', 'tls', 'autoscaling'];

test.each([
  ['replica', 'replicas'],
  ['repilcas', 'replicas'],
  ['REPLICAS', 'replicas'],
  ['max_members', 'maxMembers'],
  ['autoScaling', 'autoscaling'],
  ['tsl', 'tls'],
])('%s: probably %s is meant', (name, meant) => {
  expect(nearest(name, known)).toBe(meant);
});

test.each(['count', '', 'x', 'url', 'replicas'.repeat(100_000)])('%#: no guess', (name) => {
  expect(nearest(name, known)).toBeUndefined();
});
