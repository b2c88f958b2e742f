import type { PlatformServices } from '../helpers/service-stores.ts';
import { type KafkaServer, startKafka } from '../services/kafka.ts';
import { type MongoServer, startMongo } from '../services/mongodb.ts';
import { type S3Server, startS3 } from '../services/s3.ts';
import { type ProxiedServer, startProxied, stopProxied } from './proxied-server.ts';
import { RedisPair } from './redis-pair.ts';

/** The real services of one platform, its own, each behind proxies. */
export interface FaultyServices {
  readonly kafka: ProxiedServer<KafkaServer>;
  readonly mongodb: ProxiedServer<MongoServer>;
  readonly redis: RedisPair;
  readonly s3: ProxiedServer<S3Server>;
  /** Where the roles find them: at the proxies. */
  readonly addresses: PlatformServices;
  stop(): Promise<void>;
}

/** Starts them all. Throws ServiceUnavailable where one cannot be had. */
export async function startServices(): Promise<FaultyServices> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.splice(0).map((each) => each()));
  };
  const begin = async <S>(starting: Promise<S>, end: (service: S) => Promise<void>): Promise<S> => {
    const service = await starting;
    stops.push(() => end(service));
    return service;
  };
  const starting = {
    kafka: begin(
      startProxied((port, advertised) => startKafka({ port, advertised })),
      stopProxied,
    ),
    mongodb: begin(
      startProxied((port) => startMongo({ port })),
      stopProxied,
    ),
    redis: begin(RedisPair.start(), (pair) => pair.stop()),
    s3: begin(
      startProxied((port) => startS3({ port })),
      stopProxied,
    ),
  };
  // Those that have started are stopped when another one has not.
  await Promise.allSettled(Object.values(starting));
  try {
    const [kafka, mongodb, redis, s3] = await Promise.all([
      starting.kafka,
      starting.mongodb,
      starting.redis,
      starting.s3,
    ]);
    const { accessKeyId, secretAccessKey } = s3.server;
    const addresses = {
      kafka: { brokers: [kafka.proxy.address] },
      mongodb: { uri: `mongodb://${mongodb.proxy.address}/` },
      redis: { sentinels: redis.sentinels, masterName: redis.masterName },
      s3: { endpoint: `http://${s3.proxy.address}`, accessKeyId, secretAccessKey },
    };
    return { kafka, mongodb, redis, s3, addresses, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
