import { expect, test } from '@jest/globals';
import { archiveBucket, databaseName, keyPrefix, topicPrefix } from './names.ts';
import { validateMiniPlatform } from './validate.ts';
import type { MiniPlatform } from './generated/mini-platform.ts';

function platform(namespace: string, name: string, spec: object = {}): MiniPlatform {
  const validated = validateMiniPlatform({
    apiVersion: 'mini-platform.io/v1alpha1',
    kind: 'MiniPlatform',
    metadata: { namespace, name },
    spec,
  });
  if (!validated.ok) throw new Error(JSON.stringify(validated.faults));
  return validated.resource;
}

function namesOf(resource: MiniPlatform): string[] {
  return [topicPrefix(resource), keyPrefix(resource), databaseName(resource), archiveBucket(resource)];
}

test('names carry namespace and name', () => {
  expect(namesOf(platform('default', 'bank'))).toEqual([
    'default.bank.',
    'default.bank:',
    'default-bank',
    'default-bank',
  ]);
});

test('names that are given are taken', () => {
  const given = {
    kafka: { topicPrefix: 'a.' },
    mongodb: { database: 'b' },
    s3: { buckets: { archive: 'abc' } },
  };
  expect(namesOf(platform('default', 'bank', given))).toEqual(['a.', 'default.bank:', 'b', 'abc']);
});

test('two platforms never share a name, however they are cut', () => {
  const pairs = [
    ['a-b', 'c'],
    ['a', 'b-c'],
    ['n'.repeat(63), 'a'],
    ['n'.repeat(63), 'b'],
    ['n'.repeat(24), 'p'.repeat(39)],
  ] as const;
  const names = pairs.flatMap(([namespace, name]) => {
    const [topics, keys, database] = namesOf(platform(namespace, name));
    return [topics, keys, database];
  });
  expect(new Set(names).size).toBe(names.length);
});

test('names have at most 63 characters, and those that the resource allows', () => {
  const long = platform('n'.repeat(63), 'p'.repeat(40));
  const bucket = archiveBucket(long);
  expect(bucket).toHaveLength(63);
  expect(namesOf(platform('n', 'p', { s3: { buckets: { archive: bucket } } }))[3]).toBe(bucket);
  expect(topicPrefix(long).length).toBeLessThanOrEqual(110);
});
