import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DataFolder } from './data-folder.ts';
import { startKafka } from './kafka.ts';
import { startMongo } from './mongodb.ts';
import { BUCKETS, FRAUD_LIST_KEY, type PlatformServices, writePlatform } from './platform-files.ts';
import { startRedis } from './redis.ts';
import { type S3Server, startS3 } from './s3.ts';
import { startSentinels } from './sentinels.ts';

// `npm run services`: real services for hand work, until Ctrl-C. If this process is killed, they end as well.

const FRAUD_LIST = path.join(import.meta.dirname, '..', '..', 'examples', 'seed', 'fraud', 'fraud-list.txt');

/** What was started, to be stopped in any order. */
class Started {
  readonly #stops: (() => Promise<void>)[] = [];

  async own<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const started = await starting;
    this.#stops.push(() => started.stop());
    return started;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stops.splice(0).map((stop) => stop()));
  }
}

async function startAll(started: Started): Promise<PlatformServices> {
  const password = randomBytes(12).toString('hex');
  const starting = {
    kafka: started.own(startKafka()),
    mongodb: started.own(startMongo({ user: { name: 'bank', password } })),
    redis: startRedisPair(started, password),
    s3: started.own(startS3({ accessKeyId: 'bank', secretAccessKey: password })),
  };
  // All of them, also when one fails: what has started is stopped then.
  await Promise.allSettled(Object.values(starting));
  const s3 = await starting.s3;
  await fillBuckets(s3);
  return { kafka: await starting.kafka, mongodb: await starting.mongodb, redis: await starting.redis, s3 };
}

async function startRedisPair(started: Started, password: string): Promise<PlatformServices['redis']> {
  const master = await started.own(startRedis({ password }));
  await started.own(startRedis({ replicaOf: master }));
  const { addresses, masterName } = await started.own(startSentinels({ master }));
  return { sentinels: addresses, masterName, password };
}

async function fillBuckets({ endpoint, accessKeyId, secretAccessKey }: S3Server): Promise<void> {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  for (const bucket of Object.values(BUCKETS)) await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const list = await readFile(FRAUD_LIST);
  await client.send(new PutObjectCommand({ Bucket: BUCKETS.fraud, Key: FRAUD_LIST_KEY, Body: list }));
  client.destroy();
}

/** Resolves when this process is told to end. */
function toldToEnd(): Promise<void> {
  return new Promise((resolve) => {
    // Signals do not keep a process alive.
    const alive = setInterval(() => {}, 60_000);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        clearInterval(alive);
        resolve();
      });
    }
  });
}

async function serve(started: Started, folder: string): Promise<void> {
  process.stderr.write('Starting Kafka, MongoDB, Redis with Sentinels and S3 ...\n');
  const { yaml, file, secretsDir } = await writePlatform(await startAll(started), folder);
  process.stdout.write(`# ${file}\n${yaml}`);
  process.stderr.write(
    `\nRun a platform on them:  npx mini-platform up ${file} --secrets-dir ${secretsDir}\n` +
      'Ctrl-C ends them and removes what they hold.\n',
  );
}

const end = toldToEnd();
const started = new Started();
const folder = await DataFolder.create('services');
const serving = serve(started, folder.path);
try {
  // Told to end while they start, or are being built, it does not wait for them.
  await Promise.race([serving, end]);
  await end;
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`The services cannot be started: ${reason}\n`);
  process.exitCode = 1;
}
await started.stop();
await folder.remove();
// Whatever is still starting ends with this process.
process.exit();
