import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { KafkaEventLog } from '../../runtime/adapters/kafka/event-log.ts';
import { LONG_TERM_STORAGE } from '../../runtime/domain-kit/event.ts';
import { unique } from '../contract/waiting.ts';
import type { Exit } from '../helpers/command.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { RoleProcess, type RoleFields, type RoleKind } from '../helpers/role-processes.ts';
import {
  type PlatformServices,
  serviceStores,
  sharedServices,
  type StoreFields,
  storesOf,
} from '../helpers/service-stores.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';

const shared = sharedServices();
const WAIT_MS = 60_000;
const PASSWORD = 'correct-horse-battery';
const WRONG = 'hunter2-is-wrong';

let folder: string;
let redis: RedisServer | undefined;
let roles: RoleProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-refusals-'));
});

afterEach(async () => {
  await Promise.all(roles.map((role) => role.remove()));
  roles = [];
  await redis?.stop();
  redis = undefined;
});

afterAll(() => rm(folder, { recursive: true }));

async function make(kind: RoleKind, fields: RoleFields): Promise<RoleProcess> {
  const role = await RoleProcess.make(kind, fields);
  roles.push(role);
  return role;
}

/** Runs the role until it ends by itself; gives its exit code, and its last line. */
async function ending(role: RoleProcess): Promise<{ exit: Exit; line: string }> {
  role.spawn();
  const exit = await within(`the ${role.kind} ends:\n${role.log}`, role.exited, WAIT_MS);
  const line = role.log.trimEnd().split('\n').at(-1) ?? '';
  return { exit, line };
}

/** It ends with a line that has all of these texts, and with the exit code of what somebody must mend. */
async function expectRefusal(role: RoleProcess, texts: readonly string[]): Promise<void> {
  const { exit, line } = await ending(role);
  expect({ ...exit, log: role.log }).toMatchObject({ code: 78, signal: null });
  // It is for people: no JSON, no stack.
  expect(line).not.toMatch(/^\{|^ +at /);
  for (const text of texts) expect(line).toContain(text);
  expect(role.log).not.toContain(PASSWORD);
  expect(role.log).not.toContain(WRONG);
}

const nothing = { redis: { url: 'redis://127.0.0.1:1' }, kafka: { brokers: ['127.0.0.1:1'] } };
const nowhere = {
  ...nothing,
  mongodb: { uri: 'mongodb://127.0.0.1:1/' },
  s3: { endpoint: 'http://127.0.0.1:1', accessKeyId: 'a', secretAccessKey: WRONG },
};

describe('what can be told from the configuration alone ends a role at once', () => {
  let stores: StoreFields;

  beforeAll(async () => {
    stores = await serviceStores(path.join(folder, 'alone'), 'alone', nowhere);
  });

  test('several faults of the file, each with its line', async () => {
    const role = await make('worker', { dispatchers: [], stores: { eventLog: { kafka: {} } } });
    const { exit } = await ending(role);
    expect(exit.code).toBe(78);
    expect(role.log).toMatch(/config\.yaml:\d+:\d+: dispatchers: /);
    expect(role.log).toMatch(/config\.yaml:\d+:\d+: stores\.eventLog\.kafka\.brokers: is missing/);
    expect(role.log).toMatch(/config\.yaml:\d+:\d+: stores\.documentStore: is missing/);
  });

  test('a secret that is not there', async () => {
    const kafka = {
      ...stores.eventLog.kafka,
      usernameFile: '/nowhere/username',
      passwordFile: '/nowhere/password',
    };
    const role = await make('archiver', {
      bucket: 'archive',
      stores: { eventLog: { kafka }, objectStore: stores.objectStore },
    });
    await expectRefusal(role, [
      'stores.eventLog.kafka.usernameFile (from spec.kafka.authSecret): /nowhere/username cannot be used: there is no such file',
    ]);
  });

  test('certificates that are none', async () => {
    const caFile = path.join(folder, 'ca.pem');
    await writeFile(caFile, WRONG);
    const role = await make('dispatcher', {
      stores: { ...storesOf('dispatcher', stores), cache: { redis: { ...stores.cache.redis, caFile } } },
    });
    await expectRefusal(role, ['stores.cache.redis.caFile', caFile, 'there is no certificate in PEM in it']);
  });

  test('servers and dispatchers that are not on this machine, as long as links have no TLS', async () => {
    const dispatcher = await make('dispatcher', {
      join: { host: '0.0.0.0' },
      stores: storesOf('dispatcher', stores),
    });
    await expectRefusal(dispatcher, ['join.host: must be 127.0.0.1 or localhost, but is "0.0.0.0"']);
    const worker = await make('worker', {
      dispatchers: ['127.0.0.1:7400', 'dispatcher.example:7400'],
      stores: storesOf('worker', stores),
    });
    await expectRefusal(worker, [
      'dispatchers[1]: must be 127.0.0.1 or localhost, but is "dispatcher.example"',
    ]);
  });

  test('a taken port, which is not for somebody to mend but for the next try', async () => {
    const holder = await make('feeder', {
      source: { bucket: 'fraud', key: 'list' },
      stores: storesOf('feeder', stores),
    });
    await holder.start();
    const port = Number(new URL(holder.metricsUrl).port);
    const worker = await make('worker', {
      dispatchers: ['127.0.0.1:1'],
      link: { port },
      stores: storesOf('worker', stores),
    });
    expect(await ending(worker)).toEqual({
      exit: { code: 1, signal: null },
      line: `Port ${port} is taken: choose another one with link.`,
    });
  });
});

const suite = shared.ok ? describe : describe.skip;

suite(`a service that refuses ends a role${shared.ok ? '' : ` (${shared.reason})`}`, () => {
  async function platform(
    services: Partial<PlatformServices>,
  ): Promise<{ name: string; stores: StoreFields }> {
    if (!shared.ok) throw new Error(shared.reason);
    const name = unique('refused').replaceAll(/[^a-z0-9]/g, '');
    const all = { ...shared.services, ...services };
    return { name, stores: await serviceStores(path.join(folder, name), name, all) };
  }

  test('Redis: a wrong password', async () => {
    redis = await startRedis({ password: PASSWORD });
    const { stores } = await platform({ redis: { url: redis.url, password: WRONG } });
    const role = await make('dispatcher', { stores: storesOf('dispatcher', stores) });
    await expectRefusal(role, ['spec.redis.secret', redis.address]);
  });

  test('Redis: a server that may lose what it was given', async () => {
    redis = await startRedis({ settings: ['maxmemory 64mb', 'maxmemory-policy allkeys-lru'] });
    const { stores } = await platform({ redis: { url: redis.url } });
    const role = await make('worker', {
      dispatchers: ['127.0.0.1:1'],
      stores: storesOf('worker', stores),
    });
    await expectRefusal(role, ['allkeys-lru', redis.address]);
  });

  test('Kafka: TLS to a broker without', async () => {
    const { name, stores } = await platform({});
    const kafka = { ...stores.eventLog.kafka, tls: true };
    const role = await make('archiver', {
      bucket: name,
      stores: { ...storesOf('archiver', stores), eventLog: { kafka } },
    });
    await expectRefusal(role, ['spec.kafka.tls', shared.ok ? (shared.services.kafka.brokers[0] ?? '') : '']);
  });

  test('Kafka: more replicas than there are brokers', async () => {
    const { stores } = await platform({});
    const kafka = { ...stores.eventLog.kafka, replicationFactor: 3, minInsyncReplicas: 2 };
    const role = await make('dispatcher', {
      stores: { ...storesOf('dispatcher', stores), eventLog: { kafka } },
    });
    await expectRefusal(role, ['spec.kafka.replicationFactor', 'parked_writes']);
  });

  test('Kafka: a topic with other settings', async () => {
    const { name, stores } = await platform({});
    const log = new KafkaEventLog({
      brokers: shared.ok ? shared.services.kafka.brokers : [],
      topicPrefix: `${name}.`,
      replicationFactor: 1,
      minInsyncReplicas: 1,
      tls: undefined,
      sasl: undefined,
      clientId: 'test',
      observer: { up() {}, down() {}, reconnected() {}, sent() {} },
    });
    await log.ensureTopics([{ name: LONG_TERM_STORAGE, partitions: 1, compacted: false }]);
    await log.close();
    const role = await make('worker', {
      dispatchers: ['127.0.0.1:1'],
      stores: storesOf('worker', stores),
    });
    await expectRefusal(role, [`${name}.${LONG_TERM_STORAGE}`, 'partitions']);
  });

  test('MongoDB: a connection string that is none', async () => {
    const { stores } = await platform({ mongodb: { uri: `mongodb://me:${WRONG}` } });
    const role = await make('worker', {
      dispatchers: ['127.0.0.1:1'],
      stores: storesOf('worker', stores),
    });
    await expectRefusal(role, ['spec.mongodb.uriSecret']);
  });

  test('S3: a wrong key, a bucket that is missing', async () => {
    const s3 = shared.ok ? shared.services.s3 : nowhere.s3;
    const wrong = await platform({ s3: { ...s3, secretAccessKey: WRONG } });
    const archiver = await make('archiver', {
      bucket: wrong.name,
      stores: storesOf('archiver', wrong.stores),
    });
    await expectRefusal(archiver, ['spec.s3.secret', s3.endpoint]);
    const { name, stores } = await platform({});
    const feeder = await make('feeder', {
      source: { bucket: `${name}-missing`, key: 'fraud.txt' },
      stores: storesOf('feeder', stores),
    });
    await expectRefusal(feeder, [`${name}-missing`, 'spec.feeder.source.bucket', s3.endpoint]);
  });

  test('a host that does not exist is waited for, because it may come', async () => {
    const { stores } = await platform({ redis: { url: 'redis://redis.invalid:6379' } });
    const role = await make('dispatcher', { stores: storesOf('dispatcher', stores) });
    await role.start();
    const body = await eventually(
      'it says what it waits for',
      async () => {
        const said = await role.readiness();
        return said?.waitsFor?.[0] !== undefined && said.waitsFor;
      },
      WAIT_MS,
    );
    expect(body).toEqual([
      {
        service: 'cache',
        title: 'the cache (Redis at redis.invalid:6379)',
        reason: expect.stringMatching(/redis\.invalid.*(cannot be found|spec\.redis\.url)/),
      },
    ]);
    expect(await role.stop()).toEqual({ code: 0, signal: null });
  });
});
