import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { unique } from '../contract/waiting.ts';
import { CommandRun } from '../helpers/command.ts';
import { eventually } from '../helpers/eventually.ts';
import { sharedServices } from '../helpers/service-stores.ts';
import { freePort } from '../services/free-port.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';

const shared = sharedServices();
const suite = shared.ok ? describe : describe.skip;
const START_MS = 60_000;
const SEED = fileURLToPath(new URL('../../examples/seed', import.meta.url));
const WRONG = 'hunter2-is-wrong';

let folder: string;
let name: string;
let runs: CommandRun[] = [];
let redis: RedisServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-up-services-'));
  name = unique('up').replaceAll(/[^a-z0-9]/g, '');
});

afterEach(async () => {
  await Promise.all(runs.map((run) => run.stop('SIGKILL')));
  runs = [];
  await redis?.stop();
  redis = undefined;
  await rm(folder, { recursive: true });
});

/** Starts `up` on a resource with these sections under `spec`. */
async function up(spec: object): Promise<CommandRun> {
  const file = path.join(folder, 'platform.yaml');
  const annotations = { 'mini-platform.io/seed': SEED };
  const resource = {
    apiVersion: 'mini-platform.io/v1alpha1',
    kind: 'MiniPlatform',
    metadata: { name, annotations },
    spec: {
      worker: { replicas: 2 },
      // The first write meets connections that are still being made, and perhaps a busy machine.
      retry: { deadline: '15s' },
      feeder: { source: { bucket: 'fraud', key: 'fraud-list.txt' } },
      ...spec,
    },
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(resource));
  const ports = ['--port', '0', '--metrics-port', '0', '--admin-port', '0'];
  const folders = ['--state-dir', path.join(folder, 'state'), '--secrets-dir', path.join(folder, 'secrets')];
  const run = new CommandRun([
    'up',
    file,
    ...ports,
    ...folders,
    '--log-format',
    'json',
    '--log-level',
    'warn',
  ]);
  runs.push(run);
  return run;
}

async function secret(secretName: string, values: Readonly<Record<string, string>>): Promise<void> {
  const secrets = path.join(folder, 'secrets', secretName);
  await mkdir(secrets, { recursive: true });
  for (const [key, value] of Object.entries(values)) await writeFile(path.join(secrets, key), value);
}

async function pay(url: string, receiver: string): Promise<number> {
  const response = await fetch(`${url}/transaction`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sender: 'alice', receiver, amount: 1 }),
  });
  await response.arrayBuffer();
  return response.status;
}

suite(`up on services${shared.ok ? '' : ` (${shared.reason})`}`, () => {
  const services = shared.ok
    ? shared.services
    : {
        kafka: { brokers: [] },
        mongodb: { uri: '' },
        redis: {},
        s3: { endpoint: '', accessKeyId: '', secretAccessKey: '' },
      };
  const { kafka, mongodb, s3 } = services;
  const onKafka = { kafka: { ...kafka, replicationFactor: 1, minInsyncReplicas: 1 } };
  const onMongodb = { mongodb: { uriSecret: { name: 'mongo' } } };
  const onS3 = { s3: { endpoint: s3.endpoint, secret: { name: 's3' } } };

  beforeEach(async () => {
    await secret('mongo', { uri: `${mongodb.uri}\n` });
    const { accessKeyId, secretAccessKey } = s3;
    await secret('s3', { accessKeyId, secretAccessKey });
  });

  test('all of them: nothing is kept on this machine, and a restart knows what was answered', async () => {
    const spec = { ...onKafka, ...onMongodb, redis: services.redis, ...onS3 };
    const first = await up(spec);
    const [, url = ''] = await first.printed(/^Ready in .*: (http:\S+)$/m, START_MS);
    expect(first.stdout).toMatch(
      /stores +Kafka at [\d.:]+; MongoDB at [\d.:]+; Redis at [\d.:]+; S3 at http:\S+\n/,
    );
    expect(first.stdout).toMatch(/fraud list +\d+ names from fraud\/fraud-list\.txt/);
    expect(await pay(url, 'bob')).toBe(201);
    expect(await pay(url, 'mallory')).toBe(422);
    expect(await first.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await expect(access(path.join(folder, 'state'))).rejects.toThrow();
    const second = await up(spec);
    const [, again = ''] = await second.printed(/^Ready in .*: (http:\S+)$/m, START_MS);
    const fetched = await fetch(`${again}/fetch/all/bob`);
    expect(await fetched.json()).toMatchObject({ items: [{ sender: 'alice', receiver: 'bob' }] });
  }, 180_000);

  test.each([
    [
      'the log',
      onKafka,
      /Kafka at [\d.:]+; embedded: the document store, the cache, the object store, in \S+/,
    ],
    [
      'the documents',
      onMongodb,
      /MongoDB at [\d.:]+; embedded: the event log, the cache, the object store, in \S+/,
    ],
    [
      'cache and objects',
      { redis: services.redis, ...onS3 },
      /Redis at [\d.:]+; S3 at http:\S+; embedded: the event log, the document store, in \S+/,
    ],
  ])(
    '%s only: the others are embedded',
    async (_, spec, line) => {
      const run = await up(spec);
      const [, url = ''] = await run.printed(/^Ready in .*: (http:\S+)$/m, START_MS);
      expect(run.stdout).toMatch(line);
      expect(await pay(url, 'bob')).toBe(201);
      expect(await pay(url, 'mallory')).toBe(422);
      expect(await run.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    },
    120_000,
  );

  test('one that is away is waited for, and told', async () => {
    const port = await freePort();
    const run = await up({ redis: { url: `redis://127.0.0.1:${port}` } });
    const [, url = ''] = await run.printed(/^Not ready yet: .* (http:\S+)$/m, START_MS);
    expect(run.stdout).toMatch(new RegExp(`waits for the cache \\(Redis at 127\\.0\\.0\\.1:${port}\\): `));
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    redis = await startRedis({ port });
    await run.printed(/^Ready: http/m, START_MS);
    await eventually('a payment is stored', async () => (await pay(url, 'bob')) === 201, START_MS);
    expect(await run.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  }, 120_000);

  test('one that refuses ends it, in a line that holds no secret', async () => {
    redis = await startRedis({ password: 'correct-horse-battery' });
    await secret('redis', { password: WRONG });
    const run = await up({ redis: { url: redis.url, secret: { name: 'redis' } } });
    expect(await run.exited).toEqual({ code: 78, signal: null });
    const line = run.stderr.trimEnd().split('\n').at(-1);
    expect(line).toMatch(/spec\.redis\.secret/);
    expect(line).toContain(redis.address);
    expect(run.stderr + run.stdout).not.toContain(WRONG);
  }, 120_000);

  test('a secret that is not there ends it', async () => {
    const run = await up({ redis: { url: 'redis://127.0.0.1:1', secret: { name: 'none' } } });
    expect(await run.exited).toEqual({ code: 78, signal: null });
    expect(run.stderr).toContain(`${path.join(folder, 'secrets', 'none', 'password')} cannot be used`);
    expect(run.stderr).toContain('--secrets-dir');
  });
});
