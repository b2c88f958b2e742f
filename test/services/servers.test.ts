import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { S3Client, CreateBucketCommand, ListBucketsCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { MongoClient } from 'mongodb';
import { eventually } from '../helpers/eventually.ts';
import { ownServers, type ServiceName } from './endpoints.ts';
import { startKafka } from './kafka.ts';
import { startMongo } from './mongodb.ts';
import { startRedis } from './redis.ts';
import { startS3 } from './s3.ts';
import { startSentinels } from './sentinels.ts';
import { type Server, takesConnections } from './server-process.ts';
import { tracesOf } from './traces.ts';

const SLOW_MS = 240_000;
const GONE_MS = 20_000;

/** A kind of server: how it is started, and how a name is stored in it; `store` resolves to all that are there. */
interface Kind<S extends Server> {
  readonly name: ServiceName;
  readonly own: ReturnType<typeof ownServers>;
  readonly start: () => Promise<S>;
  readonly store: (server: S, name: string) => Promise<readonly string[]>;
}

function describeServer<S extends Server & { readonly port: number }>({
  name,
  own,
  start,
  store,
}: Kind<S>): void {
  const suite = own.ok ? describe : describe.skip;
  suite(`the test server ${name}${own.ok ? '' : ` (${own.reason})`}`, () => {
    test(
      'serves, is killed, comes back to its port with what it has stored, and leaves nothing',
      async () => {
        const server = await start();
        try {
          expect(await store(server, 'first')).toContain('first');
          await server.kill();
          expect(server.pids).toEqual([]);
          expect(await takesConnections(server.port)).toBe(false);
          await server.restart();
          expect(await store(server, 'second')).toEqual(expect.arrayContaining(['first', 'second']));
        } finally {
          await server.stop();
        }
        expect(await takesConnections(server.port)).toBe(false);
        expect(await tracesOf(server.folder)).toEqual([]);
      },
      SLOW_MS,
    );

    test(
      'ends with the process that started it, even if that is killed',
      async () => {
        const child = spawn(process.execPath, [path.join(import.meta.dirname, 'killed-parent.ts'), name], {
          stdio: ['ignore', 'pipe', 'inherit'],
          env: { ...process.env, NODE_OPTIONS: '' },
        });
        const [folder] = (await once(createInterface(child.stdout), 'line')) as [string];
        expect(await tracesOf(folder)).not.toEqual([]);
        child.kill('SIGKILL');
        const isGone = async (): Promise<boolean> => (await tracesOf(folder)).length === 0;
        await eventually(`nothing is left of ${name}`, isGone, GONE_MS);
      },
      SLOW_MS,
    );
  });
}

describeServer({
  name: 'redis',
  own: ownServers('redis'),
  start: () => startRedis(),
  async store(server, name) {
    await server.command('set', name, 'x');
    return (await server.command('keys', '*')).split('\n');
  },
});

describeServer({
  name: 's3',
  own: ownServers('s3'),
  start: () => startS3(),
  async store({ endpoint, accessKeyId, secretAccessKey }, name) {
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    await client.send(new CreateBucketCommand({ Bucket: name }));
    const { Buckets = [] } = await client.send(new ListBucketsCommand());
    client.destroy();
    return Buckets.map(({ Name = '' }) => Name);
  },
});

describeServer({
  name: 'kafka',
  own: ownServers('kafka'),
  start: () => startKafka(),
  async store({ address }, name) {
    const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: name }], waitForLeaders: true });
    const topics = await admin.listTopics();
    await admin.disconnect();
    return topics;
  },
});

describeServer({
  name: 'mongodb',
  own: ownServers('mongodb'),
  start: () => startMongo(),
  async store({ uri }, name) {
    const client = new MongoClient(uri);
    const names = client.db('test').collection<{ _id: string }>('names');
    await names.insertOne({ _id: name });
    const stored = await names.find().toArray();
    await client.close();
    return stored.map(({ _id }) => _id);
  },
});

const ownRedis = ownServers('redis');
const suite = ownRedis.ok ? describe : describe.skip;
suite(`the test server redis with Sentinels${ownRedis.ok ? '' : ` (${ownRedis.reason})`}`, () => {
  test(
    'fails over when the master is killed, with login and TLS',
    async () => {
      const master = await startRedis({ password: 'p w"d', tls: true });
      const replica = await startRedis({ replicaOf: master });
      const sentinels = await startSentinels({ master, password: 'another' });
      try {
        expect(await sentinels.master()).toBe(master.address);
        await master.kill();
        const isPromoted = async (): Promise<boolean> => (await sentinels.master()) === replica.address;
        await eventually('the replica is the master', isPromoted, GONE_MS);
        const isMaster = async (): Promise<boolean> => (await replica.command('role')).startsWith('master');
        await eventually('it knows that', isMaster, GONE_MS);
      } finally {
        await Promise.all([sentinels.stop(), master.stop(), replica.stop()]);
      }
    },
    SLOW_MS,
  );
});
