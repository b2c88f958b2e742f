import { expect, test } from '@jest/globals';
import { unknownField } from './suggest.ts';

const known = ['replicas', 'maxMembers', 'resources', 'tls', 'autoscaling'];

test.each([
  ['replica', 'replicas'],
  ['repilcas', 'replicas'],
  ['REPLICAS', 'replicas'],
  ['max_members', 'maxMembers'],
  ['autoScaling', 'autoscaling'],
  ['tsl', 'tls'],
])('%s: did you mean %s', (name, meant) => {
  expect(unknownField(name, known)).toBe(`is not a known field; did you mean "${meant}"?`);
});

test.each(['count', '', 'x', 'url', 'replicas'.repeat(100_000)])('%#: no guess', (name) => {
  expect(unknownField(name, known)).toBe(
    'is not a known field; known here: replicas, maxMembers, resources, tls, autoscaling',
  );
});
