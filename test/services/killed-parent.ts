import { startKafka } from './kafka.ts';
import { startMongo } from './mongodb.ts';
import { startRedis } from './redis.ts';
import { startS3 } from './s3.ts';

// Starts a server, says where its data is, and waits to be killed.

const START = { kafka: startKafka, mongodb: startMongo, redis: startRedis, s3: startS3 };

const kind = process.argv[2] as keyof typeof START;
const { folder } = await START[kind]();
process.stdout.write(`${folder}\n`);
setInterval(() => {}, 60_000);
