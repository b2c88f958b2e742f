import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { MAX_FILE_BYTES } from '../../schema/documents.ts';
import type { LocatedFault } from '../../schema/documents.ts';
import { hasWords } from '../../schema/phrases.ts';
import type { Schema } from '../../schema/structural.ts';
import { withDefaults } from '../../schema/defaults.ts';
import { invalidConfigs, SECRETS, validConfigs } from '../../test/helpers/invalid-role-configs.ts';
import { validValues } from '../../test/helpers/role-config-values.ts';
import { archiverConfig } from '../roles/archiver/config.ts';
import { dispatcherConfig } from '../roles/dispatcher/config.ts';
import { feederConfig } from '../roles/feeder/config.ts';
import type { FeederConfig } from '../roles/feeder/config.ts';
import { workerConfig } from '../roles/worker/config.ts';
import { embedded } from './embedded.ts';
import { compileConfig, documentSchema, loadConfig } from './role-config.ts';
import type { RoleConfig } from './role-config.ts';
import { ROLE_CONFIGS } from './roles.ts';

const declarations: ReadonlyMap<string, RoleConfig<unknown>> = new Map(
  Object.values(ROLE_CONFIGS).map((declared) => [declared.kind, declared]),
);

function declaredBy(kind: string): RoleConfig<unknown> {
  const declared = declarations.get(kind);
  if (declared === undefined) throw new Error(`no ${kind}`);
  return declared;
}

function load<T>(declared: RoleConfig<T>, text: string): T {
  const loaded = loadConfig(declared, text, 'role.yaml');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.config;
}

function faultsOf(declared: RoleConfig<unknown>, text: string): readonly LocatedFault[] {
  const loaded = loadConfig(declared, text, 'role.yaml');
  return loaded.ok ? [] : loaded.faults;
}

function smallest(kind: string): string {
  const valid = validConfigs.find((config) => config.kind === kind);
  if (valid === undefined) throw new Error(`no ${kind}`);
  return valid.yaml;
}

function isFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isFrozen);
}

describe('a file is refused with all of its faults', () => {
  test.each(invalidConfigs)('$kind: $name', ({ kind, yaml, faults }) => {
    const found = faultsOf(declaredBy(kind), yaml);
    expect(
      found.map(({ line, column, path, value, message }) => ({
        at: `${line}:${column}`,
        field: path,
        value,
        message,
      })),
    ).toEqual(faults);
    expect(found.map(({ file }) => file)).toEqual(faults.map(() => 'role.yaml'));
    expect(JSON.stringify(found)).not.toMatch(SECRETS);
  });

  test('one that is huge', () => {
    const huge = `${smallest('WorkerConfig')}${'#'.repeat(MAX_FILE_BYTES)}`;
    expect(faultsOf(workerConfig, huge)).toEqual([
      expect.objectContaining({
        line: 1,
        column: 1,
        message: 'is too large: at most 131072 bytes are allowed',
      }),
    ]);
  });

  test('one that is nested deeply', () => {
    const nested = `${smallest('WorkerConfig')}domains: ${'['.repeat(50_000)}`;
    expect(faultsOf(workerConfig, nested)[0]?.message).toMatch(/is nested too deeply|is not valid YAML/);
  });

  test('one with more unknown fields than anybody counts', () => {
    const many = Array.from({ length: 500 }, (_, index) => `field${index}: x`).join('\n');
    expect(faultsOf(workerConfig, `${smallest('WorkerConfig')}${many}\n`)).toHaveLength(500);
  });
});

describe('a configuration', () => {
  test('has what a file says and defaults for the rest', () => {
    expect(load(dispatcherConfig, smallest('DispatcherConfig'))).toEqual({
      domains: ['bank'],
      http: { host: '127.0.0.1', port: 8080 },
      admin: { host: '127.0.0.1', port: 9465 },
      join: { host: '127.0.0.1', port: 7400 },
      metrics: { host: '127.0.0.1', port: 9464 },
      log: { level: 'info', format: 'json' },
      drainTimeoutMs: 10_000,
      maxMembers: 16,
      maxInFlight: 100,
      requestTimeoutMs: 10_000,
      limits: { window: 1_024, windowBytes: 16_777_216 },
      retry: { deadlineMs: 2_000, maxAttempts: 10, backoff: { initialMs: 1_000, maxMs: 300_000 } },
      stores: {
        eventLog: {
          kafka: {
            brokers: ['k:9092'],
            topicPrefix: 'p.',
            replicationFactor: 3,
            minInsyncReplicas: 2,
            tls: false,
            saslMechanism: 'SCRAM-SHA-512',
          },
        },
        cache: { redis: { url: 'redis://r:6379', keyPrefix: 'p:', tls: false } },
      },
    });
    expect(load(workerConfig, smallest('WorkerConfig'))).toMatchObject({
      dispatchers: ['d:7400'],
      link: { host: '127.0.0.1', port: 7401 },
      limits: { window: 1_024, batchBytes: 262_144 },
      stores: { documentStore: { mongodb: { database: 'b', uriFile: '/run/uri' } } },
    });
    expect(load(feederConfig, smallest('FeederConfig'))).toMatchObject({
      source: { bucket: 'fraud', key: 'k' },
      intervalMs: 30_000,
      allowEmpty: false,
    });
    expect(load(archiverConfig, smallest('ArchiverConfig'))).toMatchObject({
      topic: 'long_term_storage',
      bucket: 'archive',
      batchSize: 1_000,
      maxAgeMs: 30_000,
      stores: { objectStore: { s3: { endpoint: 'http://s3:9000', region: 'us-east-1' } } },
    });
  });

  test('is typed as it is compiled', () => {
    const config: FeederConfig = load(feederConfig, smallest('FeederConfig'));
    const interval: number = config.intervalMs;
    const region: string = config.stores.objectStore.s3.region;
    const username: string | undefined = config.stores.cache.redis.usernameFile;
    expect([interval, region, username]).toEqual([30_000, 'us-east-1', undefined]);
  });

  test.each(validConfigs)('$kind: is frozen, all of it, and the declaration is not', ({ kind, yaml }) => {
    expect(isFrozen(load(declaredBy(kind), yaml))).toBe(true);
    expect(Object.isFrozen(declaredBy(kind).fields.properties?.['log']?.default)).toBe(false);
  });

  test.each(validConfigs)('$kind: sections that are null count as absent', ({ kind, yaml }) => {
    expect(load(declaredBy(kind), `${yaml}log:\nmetrics: null\ndrainTimeout: ~\n`)).toEqual(
      load(declaredBy(kind), yaml),
    );
  });

  test('takes anchors, merge keys, JSON, a byte order mark and CRLF', () => {
    const anchors = `${smallest('DispatcherConfig')}http: &any {port: 0}\nadmin: *any\njoin: {<<: *any, host: 0.0.0.0}\n`;
    expect(load(dispatcherConfig, anchors)).toMatchObject({
      admin: { host: '127.0.0.1', port: 0 },
      join: { host: '0.0.0.0', port: 0 },
    });
    const windows = `\uFEFF${smallest('FeederConfig')}`.replaceAll('\n', '\r\n');
    expect(load(feederConfig, windows)).toEqual(load(feederConfig, smallest('FeederConfig')));
  });

  test('may have servers on one port of different interfaces, or on ports of the system’s choice', () => {
    const apart = 'http: {host: 10.0.0.5, port: 9465}\njoin: {port: 0}\nmetrics: {port: 0}\n';
    expect(faultsOf(dispatcherConfig, smallest('DispatcherConfig') + apart)).toEqual([]);
  });
});

describe('where stores are embedded', () => {
  const head = { apiVersion: 'mini-platform.io/v1alpha1', kind: 'WorkerConfig' };

  test('those that are not given are absent, and so are the dispatchers', () => {
    const cache = { redis: { url: 'redis://r:6379', keyPrefix: 'p:' } };
    expect(compileConfig(embedded(workerConfig), head)).toMatchObject({ ok: true, config: { stores: {} } });
    expect(compileConfig(embedded(workerConfig), { ...head, stores: { cache } })).toMatchObject({
      config: { stores: { cache: { redis: { tls: false } } } },
    });
  });

  test('a file has to give them all the same', () => {
    const compiled = compileConfig(workerConfig, head);
    expect(compiled.ok ? [] : compiled.faults.map(({ path }) => path)).toEqual(['dispatchers', 'stores']);
  });
});

describe('the declarations', () => {
  function* within(schema: Schema, path: string): Generator<[string, Schema]> {
    yield [path, schema];
    for (const [name, property] of Object.entries(schema.properties ?? {}))
      yield* within(property, `${path}.${name}`);
    if (schema.items !== undefined) yield* within(schema.items, `${path}[]`);
  }
  const all = [...declarations.values()].flatMap((declared) => [
    ...within(documentSchema(declared), declared.kind),
  ]);

  test('describe every field', () => {
    expect(
      all.filter(([, { description = '' }]) => !description.endsWith('.')).map(([path]) => path),
    ).toEqual([]);
  });

  test('bound every list, number and text', () => {
    const unbounded = all.filter(([, schema]) => {
      if (schema.type === 'array') return schema.maxItems === undefined;
      if (schema.type === 'integer') return schema.minimum === undefined || schema.maximum === undefined;
      return schema.type === 'string' && schema.maxLength === undefined && schema.enum === undefined;
    });
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  test('have words for every pattern, and an example where something must be given', () => {
    expect(all.filter(([, { pattern }]) => pattern !== undefined && !hasWords(pattern))).toEqual([]);
    const required = all.flatMap(([path, { properties = {}, required: names = [] }]) =>
      names.map((name) => [`${path}.${name}`, properties[name] ?? {}] as const),
    );
    const unexplained = required.filter(
      ([, { type, example, enum: words }]) =>
        type !== 'object' && example === undefined && words === undefined,
    );
    expect(unexplained.map(([path]) => path)).toEqual([]);
  });

  test('have defaults that are valid', () => {
    for (const { kind, yaml } of validConfigs) expect(faultsOf(declaredBy(kind), yaml)).toEqual([]);
  });
});

describe('any valid configuration', () => {
  test.each([...declarations.values()])(
    '$kind: compiles, and again from what it was completed to',
    (declared) => {
      const schema = documentSchema(declared);
      fc.assert(
        fc.property(validValues(schema), (value) => {
          const text = stringify(value);
          const config = load(declared, text);
          expect(isFrozen(config)).toBe(true);
          const complete = withDefaults(value, schema);
          expect(load(declared, stringify(complete))).toEqual(config);
          expect(load(declared, JSON.stringify(complete))).toEqual(config);
          expect(compileConfig(declared, value)).toEqual({ ok: true, config });
        }),
        { numRuns: 60 },
      );
    },
  );

  test.each([...declarations.values()])('$kind: whatever stands in the file, nothing throws', (declared) => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const loaded = loadConfig(declared, text, 'role.yaml');
          expect(loaded.ok || loaded.faults.length > 0).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });
});
