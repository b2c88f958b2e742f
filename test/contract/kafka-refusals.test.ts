import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { KafkaEventLog, type KafkaOptions } from '../../runtime/adapters/kafka/event-log.ts';
import type { PortErrorKind } from '../../runtime/ports/port-error.ts';
import { ownServers } from '../services/endpoints.ts';
import { type KafkaServer, startKafka } from '../services/kafka.ts';
import { kafkaOptions, Told } from './kafka-options.ts';
import { Observed, unique } from './waiting.ts';

const own = ownServers('kafka');
const TEST_MS = 120_000;
const alice = { mechanism: 'SCRAM-SHA-512', username: 'alice', password: 'alice-secret' } as const;
const bob = { mechanism: 'PLAIN', username: 'bob', password: 'bob-secret' } as const;
const WRONG = 'wrong-secret';

const describeOwn = own.ok ? describe : describe.skip;
describeOwn(`Kafka that refuses${own.ok ? '' : ` (${own.reason})`}`, () => {
  /** Asks for a login, and allows only what ACLs allow. */
  let guarded: KafkaServer;
  /** By TLS, and with a login. */
  let secured: KafkaServer;
  const logs = new Set<KafkaEventLog>();

  beforeAll(async () => {
    guarded = await startKafka({ sasl: alice, authorize: true });
    secured = await startKafka({ sasl: bob, tls: true });
  }, TEST_MS);
  afterAll(async () => {
    await Promise.all([guarded.stop(), secured.stop()]);
  });
  afterEach(async () => {
    await Promise.all([...logs].map((log) => log.close()));
    logs.clear();
  });

  const told = new Map<KafkaEventLog, Told>();
  function open(address: string, more: Partial<KafkaOptions> = {}): KafkaEventLog {
    const observer = new Told();
    const log = new KafkaEventLog(kafkaOptions([address], { observer, ...more }));
    logs.add(log);
    told.set(log, observer);
    return log;
  }

  /** What ensuring a topic fails with; no secret is in it, nor in what the observer was told. */
  async function failureOf(
    log: KafkaEventLog,
  ): Promise<{ readonly kind: PortErrorKind; readonly message: string }> {
    const error = await log.ensureTopics([{ name: 'events', partitions: 1, compacted: false }]).then(
      () => {
        throw new Error('it was served');
      },
      (reason: unknown) => reason as { kind: PortErrorKind; message: string; cause?: unknown },
    );
    const all = [error.message, JSON.stringify(error), ...(told.get(log)?.messages ?? [])].join('\n');
    for (const secret of [alice.password, bob.password, WRONG]) expect(all).not.toContain(secret);
    expect(error.cause).toBeUndefined();
    expect(told.get(log)?.events.at(-1)).toBe(`down: ${error.kind}`);
    return error;
  }

  test('a wrong password', async () => {
    const log = open(guarded.address, { sasl: { ...alice, password: WRONG } });
    expect(await failureOf(log)).toMatchObject({
      kind: 'refused',
      message: `event-log.ensureTopics: ${guarded.address} refuses the login by SCRAM-SHA-512: check user and password in spec.kafka.authSecret (usernameFile, passwordFile)`,
    });
  });

  test('a wrong password by PLAIN and TLS', async () => {
    const tls = { ca: secured.ca ?? '' };
    const log = open(secured.address, { tls, sasl: { ...bob, password: WRONG } });
    expect(await failureOf(log)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('refuses the login by PLAIN: check user and password'),
    });
  });

  test('a mechanism that the broker does not have', async () => {
    const log = open(guarded.address, { sasl: { ...alice, mechanism: 'SCRAM-SHA-256' } });
    expect(await failureOf(log)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(
        `${guarded.address} does not let anybody log in by SCRAM-SHA-256, but by SCRAM-SHA-512: set spec.kafka.saslMechanism`,
      ),
    });
  });

  test('no login where one is asked for', async () => {
    expect(await failureOf(open(guarded.address))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(
        `${guarded.address} asks for a login: name user and password in spec.kafka.authSecret`,
      ),
    });
  });

  test('a login where none is taken', async () => {
    expect(await failureOf(open(guarded.internalAddress, { sasl: alice }))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(
        `${guarded.internalAddress} takes no login: remove spec.kafka.authSecret`,
      ),
    });
  });

  test('TLS to a listener that does not speak it', async () => {
    expect(await failureOf(open(guarded.address, { tls: {}, sasl: alice }))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(`${guarded.address} does not speak TLS: set spec.kafka.tls to false`),
    });
  });

  test('no TLS to a listener that asks for it', async () => {
    expect(await failureOf(open(secured.address, { sasl: bob }))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(`${secured.address} speaks TLS: set spec.kafka.tls to true`),
    });
  });

  test('a certificate that is not trusted', async () => {
    expect(await failureOf(open(secured.address, { tls: {}, sasl: bob }))).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(
        /the certificate of 127\.0\.0\.1:\d+ is not trusted .* into spec\.kafka\.caSecret/,
      ),
    });
  });

  test('a host that cannot be found, and a port where nobody listens, may come back', async () => {
    expect(await failureOf(open('no-such-host.invalid:9092'))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('the host of no-such-host.invalid:9092 cannot be found'),
    });
    expect(await failureOf(open('127.0.0.1:1'))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('127.0.0.1:1 cannot be reached (ECONNREFUSED)'),
    });
  });

  test('more replicas than there are brokers', async () => {
    const log = open(guarded.internalAddress, { replicationFactor: 3, minInsyncReplicas: 2 });
    expect(await failureOf(log)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(
        'events cannot have 3 replicas (spec.kafka.replicationFactor): the cluster has fewer brokers',
      ),
    });
  });

  async function administer<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Kafka({ brokers: [guarded.internalAddress], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  test('a topic that exists with other settings is invalid, with what to do', async () => {
    const log = open(guarded.internalAddress, { topicPrefix: `${unique('p')}.` });
    await log.ensureTopics([{ name: 'events', partitions: 1, compacted: false, retentionMs: 60_000 }]);
    const longer = log.ensureTopics([
      { name: 'events', partitions: 3, compacted: false, retentionMs: 61_000 },
    ]);
    await expect(longer).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(
        /the number of partitions is 1, wanted is 3: kafka-topics\.sh .*; retention\.ms is 60000, wanted is 61000 or more: kafka-configs\.sh --bootstrap-server 127\.0\.0\.1:\d+ --alter/,
      ),
    });
  });

  test('a permission that is missing is refused, and all works once it is granted', async () => {
    const log = open(guarded.address, { sasl: alice, topicPrefix: 'alice.' });
    expect(await failureOf(log)).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/topic alice\.events: TOPIC_AUTHORIZATION_FAILED .*kafka-acls\.sh/),
    });
    const grant = (resourceType: AclResourceTypes): Promise<boolean> =>
      administer((admin) =>
        admin.createAcls({
          acl: [
            {
              resourceType,
              resourceName: 'alice.',
              resourcePatternType: ResourcePatternTypes.PREFIXED,
              principal: 'User:alice',
              host: '*',
              operation: AclOperationTypes.ALL,
              permissionType: AclPermissionTypes.ALLOW,
            },
          ],
        }),
      );
    await grant(AclResourceTypes.TOPIC);
    await log.ensureTopics([{ name: 'events', partitions: 1, compacted: false }]);
    await log.append([{ topic: 'events', key: null, value: Buffer.from('one') }]);
    const errors = new Observed<Error>();
    const seen = new Observed<string>();
    const subscription = await log.subscribe({
      group: 'group',
      topics: ['events'],
      onBatch: async (batch) => {
        await batch.commit(1n);
        seen.push(...batch.records.map(({ value }) => Buffer.from(value ?? []).toString()));
      },
      onError: errors.push,
    });
    await errors.count('the group is refused', 1);
    expect(errors.items[0]).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/group alice\.group: GROUP_AUTHORIZATION_FAILED .*kafka-acls\.sh/),
    });
    await grant(AclResourceTypes.GROUP);
    await seen.count('the record, without anybody starting anything again', 1);
    await subscription.close();
    expect(await log.committed('group', 'events')).toEqual(new Map([[0, 1n]]));
    expect(told.get(log)?.events.at(-1)).toBe('up');
  });

  test('by TLS and login, all works', async () => {
    const log = open(secured.address, { tls: { ca: secured.ca ?? '' }, sasl: bob });
    await log.ensureTopics([{ name: 'events', partitions: 1, compacted: false }]);
    const value = Buffer.alloc(200_000, 'x');
    await log.append([{ topic: 'events', key: null, value }]);
    const [record] = await log.read({ topic: 'events', partition: 0, from: 0n, maxRecords: 1 });
    expect(Buffer.from(record?.value ?? []).equals(value)).toBe(true);
  });
});
