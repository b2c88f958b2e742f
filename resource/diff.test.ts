import { expect, test } from '@jest/globals';
import { changedPaths } from './diff.ts';
import type { MiniPlatform } from './generated/mini-platform.ts';
import { validateMiniPlatform } from './validate.ts';

function platform(spec: unknown): MiniPlatform {
  const validated = validateMiniPlatform({
    apiVersion: 'mini-platform.io/v1alpha1',
    kind: 'MiniPlatform',
    metadata: { name: 'bank' },
    spec,
  });
  if (!validated.ok) throw new Error(JSON.stringify(validated.faults));
  return validated.resource;
}

test.each([
  ['nothing', {}, {}, []],
  ['a default that is spelt out', {}, { worker: { replicas: 2 } }, []],
  ['replicas', {}, { worker: { replicas: 3 } }, ['spec.worker.replicas']],
  ['a list', {}, { domains: ['bank', 'orders'] }, ['spec.domains']],
  [
    'several',
    { paused: true },
    { retry: { backoff: { max: '1m' } } },
    ['spec.paused', 'spec.retry.backoff.max'],
  ],
  [
    'a map that comes',
    {},
    { feeder: { source: { bucket: 'fraud', key: 'k' } } },
    ['spec.feeder.source.bucket', 'spec.feeder.source.key'],
  ],
  ['a map that goes', { redis: { url: 'redis://r:1' } }, {}, ['spec.redis.tls', 'spec.redis.url']],
  ['an empty map that comes', {}, { worker: { resources: {} } }, ['spec.worker.resources']],
])('%s', (_, before, after, paths) => {
  expect(changedPaths(platform(before), platform(after))).toEqual(paths);
});
