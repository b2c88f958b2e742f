import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { invalidPlatforms } from '../test/helpers/invalid-platforms.ts';
import { valuesNear } from '../test/helpers/schema-values.ts';
import type { MiniPlatform } from './generated/mini-platform.ts';
import { miniPlatformSchema } from './schema.ts';
import { validateMiniPlatform } from './validate.ts';

function platform(spec?: unknown, metadata: unknown = { name: 'bank' }): unknown {
  return {
    apiVersion: 'mini-platform.io/v1alpha1',
    kind: 'MiniPlatform',
    metadata,
    ...(spec ? { spec } : {}),
  };
}

function valid(value: unknown, old?: MiniPlatform): MiniPlatform {
  const validated = validateMiniPlatform(value, old);
  if (!validated.ok) throw new Error(`refused: ${JSON.stringify(validated.faults)}`);
  return validated.resource;
}

function messages(value: unknown, old?: MiniPlatform): string[] {
  const validated = validateMiniPlatform(value, old);
  return validated.ok ? [] : validated.faults.map(({ path, message }) => `${path}: ${message}`);
}

describe('what is refused', () => {
  test.each(invalidPlatforms)('$name', ({ yaml, old, paths }) => {
    const validated = validateMiniPlatform(parse(yaml), old === undefined ? undefined : valid(parse(old)));
    const blamed = validated.ok ? [] : validated.faults.map(({ path }) => path);
    expect(blamed.toSorted()).toEqual(paths.toSorted());
  });

  test.each([
    ['nothing', null, ': must be a map with apiVersion, kind, metadata, but is null'],
    ['a text', 'bank', ': must be a map with apiVersion, kind, metadata, but is a text'],
    ['another kind', { ...(platform() as object), kind: 'Pod' }, 'kind: must be MiniPlatform, but is "Pod"'],
    [
      'another version',
      { ...(platform() as object), apiVersion: 'v1' },
      'apiVersion: must be mini-platform.io/v1alpha1, but is "v1"',
    ],
    [
      'a number as annotation',
      platform({}, { name: 'a', annotations: { n: 1 } }),
      'metadata.annotations.n: must be a text, but is 1',
    ],
    [
      'an unknown metadata field',
      platform({}, { name: 'a', anotations: {} }),
      'metadata.anotations: is not a known field; did you mean "annotations"?',
    ],
  ])('%s', (_, value, message) => {
    expect(messages(value)).toEqual([message]);
  });

  test('an empty map: all that is missing is told', () => {
    expect(messages({})).toEqual([
      'apiVersion: is missing; must be mini-platform.io/v1alpha1',
      'kind: is missing; must be MiniPlatform',
      'metadata.name: is missing; must be a text of at most 253 characters',
    ]);
  });
});

describe('messages', () => {
  test.each([
    [
      { worker: { replicas: 'three' } },
      'spec.worker.replicas: must be a whole number from 0 to 100, but is "three"',
    ],
    [
      { worker: { replica: 3 } },
      'spec.worker.replica: is not a known field (its value: 3); did you mean "replicas"?',
    ],
    [{ worker: { Replicas: {} } }, 'spec.worker.Replicas: is not a known field; did you mean "replicas"?'],
    [
      { worker: { count: 'three' } },
      'spec.worker.count: is not a known field (its value: "three"); known here: replicas, maxMembers, resources, autoscaling',
    ],
    [
      { imagePullSecrets: [{ name: 'a' }, { name: 'a' }] },
      'spec.imagePullSecrets[1]: must have another name than spec.imagePullSecrets[0], but is "a"',
    ],
    [{ retry: { deadline: '1h' } }, 'spec.retry.deadline: must be a duration from 100ms to 30s, but is "1h"'],
    [
      { dispatcher: { service: { type: 'x' } } },
      'spec.dispatcher.service.type: must be one of ClusterIP, NodePort, LoadBalancer, but is "x"',
    ],
    [{ redis: {} }, 'spec.redis: must have exactly one of url and sentinels'],
    [{ redis: { sentinels: ['s:1'] } }, 'spec.redis.masterName: is required with sentinels'],
    [
      { worker: { autoscaling: { min: 3, max: 2 } } },
      'spec.worker.autoscaling.max: must be at least min, but is 2',
    ],
    [{ domains: ['a', 'a'] }, 'spec.domains[1]: must differ from spec.domains[0], but is "a"'],
  ])('%j', (spec, message) => {
    expect(messages(platform(spec))).toEqual([message]);
  });

  test('tell broken rules together with what does not fit the schema', () => {
    const spec = { retry: { deadline: '1h' }, worker: { replicas: 'x', autoscaling: { min: 3, max: 2 } } };
    expect(messages(platform(spec, { name: 'Bank' }))).toEqual([
      'spec.worker.replicas: must be a whole number from 0 to 100, but is "x"',
      expect.stringMatching(/^metadata\.name: must be at most 40 characters/),
      'spec.retry.deadline: must be a duration from 100ms to 30s, but is "1h"',
      'spec.worker.autoscaling.max: must be at least min, but is 2',
    ]);
  });

  test('of rules are left out where what they read does not fit the schema', () => {
    const spec = { worker: { autoscaling: { min: 1.5, max: 1 } }, redis: { url: 3 } };
    expect(messages(platform(spec))).toEqual([
      'spec.worker.autoscaling.min: must be a whole number from 1 to 100, but is 1.5',
      'spec.redis.url: must be a URL such as redis://redis.example:6379, without credentials, but is 3',
    ]);
  });

  test.each([
    ['redis', { password: 'hunter2' }],
    ['redis', { token: 1234567 }],
    ['mongodb', { uri: 'mongodb://me:hunter2@m/' }],
  ])('of unknown fields do not show what may be a secret: %s %j', (name, fields) => {
    const found = validateMiniPlatform(platform({ [name]: fields }));
    expect(JSON.stringify(found)).toContain('not shown');
    expect(JSON.stringify(found)).not.toMatch(/hunter2|1234567/);
  });

  test('long values are shortened, and credentials are left out', () => {
    expect(messages(platform({ domains: ['x'.repeat(100)] })).join()).toContain(
      `"${'x'.repeat(60)}..." (100 characters)`,
    );
    const shown = (url: string): string => messages(platform({ redis: { url } })).join();
    expect(shown('redis://me:secret@r:1')).toMatch(/but is "redis:\/\/\*\*\*@r:1"$/);
    expect(shown('redis://me:se/c@r et@r:1')).toMatch(/but is "redis:\/\/\*\*\*@r:1"$/);
    expect(shown('redis://r:1/?password=secret')).toMatch(/but is "redis:\/\/r:1\/\?\*\*\*"$/);
    expect(messages(platform({ kafka: { brokers: ['me:secret@k:9092/'] } })).join()).toMatch(
      /but is "\*\*\*@k:9092\/"$/,
    );
  });
});

describe('defaults', () => {
  test('of a platform of which nothing is said', () => {
    expect(valid(platform())).toEqual({
      apiVersion: 'mini-platform.io/v1alpha1',
      kind: 'MiniPlatform',
      metadata: { name: 'bank', namespace: 'default' },
      spec: {
        domains: ['bank'],
        dispatcher: { replicas: 2, service: { type: 'ClusterIP', port: 8080 } },
        worker: { replicas: 2, maxMembers: 16 },
        feeder: { interval: '30s', allowEmpty: false },
        archiver: { replicas: 1, batchSize: 1000, maxAge: '30s' },
        kafka: { replicationFactor: 3, minInsyncReplicas: 2, tls: false, saslMechanism: 'SCRAM-SHA-512' },
        mongodb: {},
        s3: { region: 'us-east-1', buckets: {} },
        retry: { deadline: '2s', maxAttempts: 10, backoff: { initial: '1s', max: '5m' } },
        monitoring: { podMonitor: false },
        paused: false,
      },
    });
  });

  test('a field that is null counts as absent', () => {
    expect(valid(platform({ worker: null, domains: null, redis: null }))).toEqual(valid(platform()));
  });

  test('within what has no default itself', () => {
    expect(valid(platform({ worker: { autoscaling: { max: 4 } } })).spec.worker.autoscaling).toEqual({
      min: 1,
      max: 4,
    });
  });
});

describe('the result', () => {
  test('is frozen, all of it, and neither the input nor the schema is', () => {
    const input = platform({ domains: ['bank'] }) as { spec: { domains: string[] } };
    const { spec, metadata } = valid(input);
    expect([spec, spec.domains, spec.retry.backoff, metadata].every(Object.isFrozen)).toBe(true);
    expect([input, input.spec, input.spec.domains].some(Object.isFrozen)).toBe(false);
    expect(Object.isFrozen(miniPlatformSchema().properties?.['spec']?.properties?.['domains']?.default)).toBe(
      false,
    );
  });

  test('leaves out what the server writes', () => {
    const metadata = { name: 'bank', uid: 'u', managedFields: [{ manager: 'kubectl' }], labels: { a: 'b' } };
    const written = { ...(platform({}, metadata) as object), status: { workers: '1/2', anything: [] } };
    expect(valid(written).metadata).toEqual({ name: 'bank', namespace: 'default', labels: { a: 'b' } });
    expect(valid(written)).not.toHaveProperty('status');
  });
});

describe('changes', () => {
  const named = {
    kafka: { topicPrefix: 'a.' },
    mongodb: { database: 'd' },
    s3: { buckets: { archive: 'abc' } },
  };

  test('of what may change are taken', () => {
    expect(
      valid(platform({ ...named, worker: { replicas: 5 } }), valid(platform(named))).spec.worker.replicas,
    ).toBe(5);
  });

  test('rules about changes are not asked without an old platform', () => {
    expect(messages(platform(named))).toEqual([]);
    expect(messages(platform(named), valid(platform()))).toHaveLength(3);
  });
});

test('any JSON value validates or has faults; nothing throws', () => {
  const near = valuesNear(miniPlatformSchema());
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), near), (value) => {
      const validated = validateMiniPlatform(value);
      expect(validated.ok || validated.faults.length > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('what has passed passes again, unchanged', () => {
  fc.assert(
    fc.property(valuesNear(miniPlatformSchema().properties?.['spec'] ?? {}), (spec) => {
      const validated = validateMiniPlatform(platform(spec));
      fc.pre(validated.ok);
      expect(valid(validated.resource, validated.resource)).toEqual(validated.resource);
    }),
    { numRuns: 50 },
  );
});
