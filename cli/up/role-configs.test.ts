import { describe, expect, test } from '@jest/globals';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { validateMiniPlatform } from '../../resource/validate.ts';
import { ROLE_CONFIGS } from '../../runtime/config/roles.ts';
import { parseDuration } from '../../schema/duration.ts';
import { isMap } from '../../schema/fault.ts';
import type { Schema } from '../../schema/structural.ts';
import { CommandError } from '../command-error.ts';
import type { UpFlags } from './flags.ts';
import { logConfig, roleConfigs } from './role-configs.ts';
import type { RoleConfigs } from './role-configs.ts';

const FLAGS: UpFlags = {
  metricsPort: 9464,
  adminPort: 9465,
  secretsDir: 'secrets',
  stateDir: '.mini-platform',
  logFormat: 'auto',
  logLevel: 'auto',
};

function platform(spec: object): MiniPlatform {
  const validated = validateMiniPlatform({
    apiVersion: 'mini-platform.io/v1alpha1',
    kind: 'MiniPlatform',
    metadata: { name: 'bank' },
    spec,
  });
  if (!validated.ok) throw new Error(JSON.stringify(validated.faults));
  return validated.resource;
}

function configs(spec: object, flags: Partial<UpFlags> = {}): RoleConfigs {
  return roleConfigs({
    resource: platform(spec),
    flags: { ...FLAGS, ...flags },
    secretsDir: '/run/my secrets',
    onTerminal: false,
  });
}

function isFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isFrozen);
}

const EVERYTHING = {
  domains: ['bank', 'orders'],
  worker: { maxMembers: 7 },
  feeder: { interval: '5m', source: { bucket: 'lists', key: 'names.txt' }, allowEmpty: true },
  archiver: { batchSize: 12, maxAge: '2m' },
  retry: { deadline: '3s', maxAttempts: 4, backoff: { initial: '20ms', max: '2s' } },
  kafka: {
    brokers: ['k:9092'],
    topicPrefix: 'mine.',
    replicationFactor: 5,
    minInsyncReplicas: 4,
    tls: true,
    caSecret: { name: 'ca' },
    saslMechanism: 'PLAIN',
    authSecret: { name: 'kafka' },
  },
  mongodb: {
    database: 'mine',
    uriSecret: { name: 'mongodb', key: 'url' },
    caSecret: { name: 'ca', key: 'pem' },
  },
  redis: {
    sentinels: ['s:26379'],
    masterName: 'main',
    tls: true,
    caSecret: { name: 'ca' },
    secret: { name: 'redis' },
  },
  s3: {
    endpoint: 'https://s3.example',
    region: 'eu-west-1',
    buckets: { archive: 'kept' },
    caSecret: { name: 'ca' },
    secret: { name: 's3' },
  },
};

describe('of a platform of which little is said', () => {
  test('all is on loopback, with embedded stores', () => {
    const { dispatcher, worker, feeder, archiver } = configs({
      feeder: { source: { bucket: 'fraud', key: 'fraud-list.txt' } },
    });
    const everyRole = {
      metrics: { host: '127.0.0.1', port: 9464 },
      log: { level: 'info', format: 'json' },
      drainTimeoutMs: 10_000,
      stores: {},
    };
    expect(dispatcher).toEqual({
      ...everyRole,
      domains: ['bank'],
      http: { host: '127.0.0.1', port: 8080 },
      admin: { host: '127.0.0.1', port: 9465 },
      join: { host: '127.0.0.1', port: 0 },
      maxMembers: 16,
      maxInFlight: 4_096,
      requestTimeoutMs: 10_000,
      limits: { window: 1_024, windowBytes: 16_777_216 },
      retry: { deadlineMs: 2_000, maxAttempts: 10, backoff: { initialMs: 1_000, maxMs: 300_000 } },
    });
    expect(worker).toEqual({
      ...everyRole,
      domains: ['bank'],
      link: { host: '127.0.0.1', port: 0 },
      limits: { window: 1_024, batchBytes: 262_144 },
    });
    expect(feeder).toEqual({
      ...everyRole,
      source: { bucket: 'fraud', key: 'fraud-list.txt' },
      intervalMs: 30_000,
      allowEmpty: false,
    });
    expect(archiver).toEqual({
      ...everyRole,
      topic: 'long_term_storage',
      bucket: 'default-bank',
      batchSize: 1_000,
      maxAgeMs: 30_000,
    });
  });

  test('there is no feeder without a source, and no archiver without replicas', () => {
    const { feeder, archiver } = configs({ archiver: { replicas: 0 } });
    expect([feeder, archiver]).toEqual([undefined, undefined]);
  });
});

test('the configurations are frozen, all of them', () => {
  expect(Object.values(configs(EVERYTHING)).every(isFrozen)).toBe(true);
});

describe('what the resource says is what every role gets', () => {
  /** The fields that are made from the resource, but for files and the port, which is a flag. */
  function* sourced(
    schema: Schema,
    path: readonly string[],
  ): Generator<readonly [readonly string[], Schema]> {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const place = [...path, property.format === 'duration' ? `${name}Ms` : name];
      yield* sourced(property, place);
      if (property['x-source'] === undefined || property.properties !== undefined) continue;
      if (!name.endsWith('File') && place.join('.') !== 'http.port') yield [place, property];
    }
  }

  function at(value: unknown, path: readonly string[]): unknown {
    return path.reduce<unknown>((inner, name) => (isMap(inner) ? inner[name] : undefined), value);
  }

  const resource = platform(EVERYTHING);
  const compiled = configs(EVERYTHING);
  const roles = Object.entries(ROLE_CONFIGS).flatMap(([role, { fields }]) =>
    [...sourced(fields, [])].map(([path, schema]) => ({ path: [role, ...path], schema })),
  );

  test.each(roles)('$path', ({ path, schema }) => {
    const wanted = at(resource, (schema['x-source'] ?? '').split('.'));
    // A cache is reached by an URL or by Sentinels.
    if (path.at(-1) !== 'url') expect(wanted).toBeDefined();
    expect(at(compiled, path)).toEqual(schema.format === 'duration' ? parseDuration(String(wanted)) : wanted);
  });
});

describe('services', () => {
  test('are reached with secrets from files', () => {
    const { worker, archiver } = configs(EVERYTHING);
    expect(worker.stores).toEqual({
      eventLog: {
        kafka: {
          brokers: ['k:9092'],
          topicPrefix: 'mine.',
          replicationFactor: 5,
          minInsyncReplicas: 4,
          tls: true,
          caFile: '/run/my secrets/ca/ca.crt',
          saslMechanism: 'PLAIN',
          usernameFile: '/run/my secrets/kafka/username',
          passwordFile: '/run/my secrets/kafka/password',
        },
      },
      documentStore: {
        mongodb: {
          database: 'mine',
          uriFile: '/run/my secrets/mongodb/url',
          caFile: '/run/my secrets/ca/pem',
        },
      },
      cache: {
        redis: {
          sentinels: ['s:26379'],
          masterName: 'main',
          keyPrefix: 'default.bank:',
          tls: true,
          caFile: '/run/my secrets/ca/ca.crt',
          usernameFile: '/run/my secrets/redis/username',
          passwordFile: '/run/my secrets/redis/password',
        },
      },
    });
    expect(archiver?.stores.objectStore).toEqual({
      s3: {
        endpoint: 'https://s3.example',
        region: 'eu-west-1',
        caFile: '/run/my secrets/ca/ca.crt',
        accessKeyIdFile: '/run/my secrets/s3/accessKeyId',
        secretAccessKeyFile: '/run/my secrets/s3/secretAccessKey',
      },
    });
  });

  test('are used each on its own, under names of the platform', () => {
    const { dispatcher, worker } = configs({
      redis: { url: 'redis://r:6379' },
      kafka: { brokers: ['k:9092'] },
      mongodb: { uriSecret: { name: 'mongodb' } },
    });
    expect(dispatcher.stores.cache?.redis).toEqual({
      url: 'redis://r:6379',
      keyPrefix: 'default.bank:',
      tls: false,
    });
    expect(dispatcher.stores.eventLog?.kafka.topicPrefix).toBe('default.bank.');
    expect(worker.stores.documentStore?.mongodb.database).toBe('default-bank');
    expect(configs({ redis: { url: 'redis://r:6379' } }).worker.stores).toEqual({
      cache: dispatcher.stores.cache,
    });
  });
});

test("the HTTP port is the resource's, unless a flag says another", () => {
  const dispatcher = { service: { port: 8181 } };
  const portOf = (flags: Partial<UpFlags>): number =>
    configs({ dispatcher }, { ...flags }).dispatcher.http.port;
  expect(portOf({})).toBe(8181);
  expect(portOf({ port: 8282 })).toBe(8282);
});

test('flags that want one port for two servers are refused', () => {
  const refused = (): RoleConfigs => configs({}, { port: 9465 });
  expect(refused).toThrow(CommandError);
  expect(refused).toThrow(
    'DispatcherConfig: admin.port: must differ from http.port, but is 9465\n' +
      'Choose other ones with --port, --metrics-port and --admin-port.',
  );
  expect(configs({}, { port: 0, metricsPort: 0, adminPort: 0 }).dispatcher.http.port).toBe(0);
});

test.each([
  [{ logFormat: 'auto', logLevel: 'auto' }, true, { format: 'pretty', level: 'warn' }],
  [{ logFormat: 'auto', logLevel: 'auto' }, false, { format: 'json', level: 'info' }],
  [{ logFormat: 'json', logLevel: 'auto' }, true, { format: 'json', level: 'info' }],
  [{ logFormat: 'pretty', logLevel: 'debug' }, false, { format: 'pretty', level: 'debug' }],
] as const)('logs: %j, on a terminal: %p', (flags, onTerminal, expected) => {
  expect(logConfig(flags, onTerminal)).toEqual(expected);
});
