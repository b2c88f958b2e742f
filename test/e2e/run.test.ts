import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { S3ObjectStore } from '../../runtime/adapters/s3/object-store.ts';
import { unique } from '../contract/waiting.ts';
import { eventually } from '../helpers/eventually.ts';
import { type RoleProcess, type RoleFields, type RoleKind, startRole } from '../helpers/role-processes.ts';
import {
  type PlatformServices,
  serviceStores,
  sharedServices,
  type StoreFields,
  storesOf,
} from '../helpers/service-stores.ts';
import { freePort } from '../services/free-port.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';

const shared = sharedServices();
const suite = shared.ok ? describe : describe.skip;
const WAIT_MS = 60_000;
const RETRY = { backoff: { initial: '100ms', max: '1s' } };

let folder: string;
let roles: RoleProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-run-'));
});

afterEach(async () => {
  await Promise.all(roles.map((role) => role.remove()));
  roles = [];
});

afterAll(() => rm(folder, { recursive: true }));

/** The stores of a new platform, with a fraud list that names mallory in its bucket, which is named like it. */
async function newPlatform(services: PlatformServices): Promise<{ name: string; stores: StoreFields }> {
  const name = unique('run').replaceAll(/[^a-z0-9]/g, '');
  const { endpoint, accessKeyId, secretAccessKey } = services.s3;
  const observer = { up() {}, down() {}, reconnected() {}, sent() {} };
  const credentials = { accessKeyId, secretAccessKey };
  const objects = new S3ObjectStore({ endpoint, region: 'us-east-1', credentials, observer });
  await objects.ensureBuckets([name]);
  await objects.put(name, 'fraud.txt', new TextEncoder().encode('mallory\n'));
  await objects.close();
  return { name, stores: await serviceStores(path.join(folder, name), name, services) };
}

async function start(kind: RoleKind, fields: RoleFields): Promise<RoleProcess> {
  const role = await startRole(kind, fields);
  roles.push(role);
  return role;
}

async function pay(url: string, key: string, receiver = 'bob'): Promise<number> {
  const response = await fetch(`${url}/transaction`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ sender: 'alice', receiver, amount: 1250 }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** Pays, as soon as it can be done: a dispatcher that starts is not reached yet, and has no workers then. */
async function pays(url: string, key: string, receiver?: string): Promise<void> {
  const isStored = async (): Promise<boolean> =>
    [200, 201].includes(await pay(url, key, receiver).catch(() => 0));
  await eventually(`${url} stores a payment`, isStored, WAIT_MS);
}

suite(`roles as processes on services${shared.ok ? '' : ` (${shared.reason})`}`, () => {
  const services = shared.ok ? shared.services : undefined;

  test('several dispatchers and workers serve one platform, and a restarted dispatcher gets its workers back', async () => {
    if (services === undefined) return;
    const { name, stores } = await newPlatform(services);
    const dispatcher = { stores: storesOf('dispatcher', stores), retry: RETRY };
    const dispatchers = await Promise.all([start('dispatcher', dispatcher), start('dispatcher', dispatcher)]);
    const [first, second] = dispatchers;
    const worker = {
      dispatchers: dispatchers.map(({ joinAddress }) => joinAddress),
      stores: storesOf('worker', stores),
    };
    const archiver = {
      bucket: name,
      batchSize: 10,
      maxAge: '1s',
      stores: storesOf('archiver', stores),
    };
    const source = { bucket: name, key: 'fraud.txt' };
    const others = await Promise.all([
      start('worker', { ...worker, uid: 'w1' }),
      start('worker', { ...worker, uid: 'w2' }),
      start('feeder', { source, interval: '1s', stores: storesOf('feeder', stores) }),
      start('archiver', archiver),
      start('archiver', archiver),
    ]);
    const archivers = others.filter(({ kind }) => kind === 'archiver');
    await Promise.all(roles.map((role) => role.ready(WAIT_MS)));
    for (const { metricsUrl } of dispatchers) {
      const members = await eventually('both workers are members', async () => {
        const text = await (await fetch(`${metricsUrl}/metrics`)).text();
        return /^mini_platform_members\{state="usable"\} (\d+)$/m.exec(text)?.[1] === '2' && text;
      });
      expect(members).toContain('mini_platform_service_up{service="event-log"} 1');
      expect(members).toContain('mini_platform_service_up{service="cache"} 1');
    }

    const keys = Array.from({ length: 60 }, (_, index) => `key-${index}`);
    // A machine that is busy with a dozen processes that start may refuse some at first.
    await Promise.all(
      keys.map((key, index) => pays(dispatchers[index % 2]?.url ?? '', key, `client-${index}`)),
    );
    expect(await pay(second.url, 'key-0', 'client-0')).toBe(200);
    expect(await pay(first.url, 'fraud', 'mallory')).toBe(422);

    await first.kill();
    await pays(second.url, 'while-one-is-away');
    await first.start();
    await pays(first.url, 'behind-the-restart');

    // Everything is archived, and both archivers have done some of it.
    const archived = await eventually(
      'all payments are archived',
      async () => {
        const counts = await Promise.all(
          archivers.map((role) => role.metric('mini_platform_archive_records_total')),
        );
        return counts.reduce<number>((sum, count = 0) => sum + count, 0) >= keys.length + 2 && counts;
      },
      WAIT_MS,
    );
    expect(archived.every((count = 0) => count > 0)).toBe(true);

    for (const role of roles) expect(await role.stop()).toEqual({ code: 0, signal: null });
    for (const role of roles) {
      expect(role.log).toContain('stopped; nothing that was answered is lost');
      expect(role.log).not.toContain(services.s3.secretAccessKey);
      // Every line is one JSON object.
      for (const line of role.log.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
    }
  }, 180_000);

  describe('started before a service is there', () => {
    let redis: RedisServer | undefined;

    afterEach(() => redis?.stop());

    test('they say what they wait for, and go on by themselves', async () => {
      if (services === undefined) return;
      const port = await freePort();
      const url = `redis://127.0.0.1:${port}`;
      const { name, stores } = await newPlatform({ ...services, redis: { url } });
      const dispatcher = await start('dispatcher', { stores: storesOf('dispatcher', stores), retry: RETRY });
      const worker = await start('worker', {
        dispatchers: [dispatcher.joinAddress, `127.0.0.1:${await freePort()}`],
        stores: storesOf('worker', stores),
      });
      const source = { bucket: name, key: 'fraud.txt' };
      const feeder = await start('feeder', { source, interval: '1s', stores: storesOf('feeder', stores) });
      const waiting = `the cache (Redis at 127.0.0.1:${port})`;
      for (const role of roles) {
        const body = await eventually(
          `the ${role.kind} says what it waits for`,
          async () => {
            const said = await role.readiness();
            return said?.waitsFor?.[0] !== undefined && said;
          },
          WAIT_MS,
        );
        expect(body.ready).toBe(false);
        expect(body.waitsFor).toEqual([
          { service: 'cache', title: waiting, reason: expect.stringContaining(String(port)) },
        ]);
        expect(await role.metric('mini_platform_service_up', 'service="cache"')).toBe(0);
        expect(role.log.split(`${waiting} is away`)).toHaveLength(2);
      }
      expect((await worker.readiness())?.roles).toMatchObject([
        { state: 'STARTING', reason: expect.stringContaining(`waits for ${waiting}`) },
      ]);
      // Where everybody may look there is no address.
      const open = await fetch(`${dispatcher.url}/readyz`);
      expect(await open.json()).toMatchObject({ ready: false, waitsFor: [{ service: 'cache' }] });

      redis = await startRedis({ port });
      await Promise.all(roles.map((role) => role.ready(WAIT_MS)));
      await pays(dispatcher.url, 'late');
      for (const role of roles) {
        expect(await role.metric('mini_platform_service_up', 'service="cache"')).toBe(1);
        expect(role.log).toContain(`${waiting} answers again`);
        expect((await role.readiness())?.waitsFor).toBeUndefined();
      }

      // It goes away again: nobody restarts, the dispatcher stays ready and says it.
      await redis.kill();
      await eventually(
        'the dispatcher tells that the cache is away',
        async () => (await dispatcher.readiness())?.waitsFor !== undefined,
        WAIT_MS,
      );
      expect((await dispatcher.readiness())?.ready).toBe(true);
      await redis.restart();
      await feeder.ready(WAIT_MS);
      await pays(dispatcher.url, 'later');
      expect((await dispatcher.readiness())?.ready).toBe(true);
    }, 180_000);

    test('and stop while they wait', async () => {
      if (services === undefined) return;
      const brokers = [`127.0.0.1:${await freePort()}`];
      const { name, stores } = await newPlatform({ ...services, kafka: { brokers } });
      await start('worker', { dispatchers: ['127.0.0.1:1'], stores: storesOf('worker', stores) });
      await start('archiver', { bucket: name, stores: storesOf('archiver', stores) });
      for (const role of roles) {
        await eventually('it waits', async () => (await role.readiness())?.waitsFor !== undefined, WAIT_MS);
      }
      expect(await Promise.all(roles.map((role) => role.stop()))).toEqual([
        { code: 0, signal: null },
        { code: 0, signal: null },
      ]);
    }, 120_000);
  });
});
