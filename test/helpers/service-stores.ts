import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { testEndpoint } from '../services/endpoints.ts';

/** Where the services of a platform are. Credentials and certificates are plain texts here. */
export interface PlatformServices {
  readonly kafka: { readonly brokers: readonly string[] };
  readonly mongodb: { readonly uri: string };
  readonly redis:
    | { readonly url: string; readonly password?: string }
    | { readonly sentinels: readonly string[]; readonly masterName: string; readonly password?: string };
  readonly s3: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The services that the test run shares, or why one of them is not to be had. */
export function sharedServices():
  | { readonly ok: true; readonly services: PlatformServices }
  | { readonly ok: false; readonly reason: string } {
  const kafka = testEndpoint('kafka');
  const mongodb = testEndpoint('mongodb');
  const redis = testEndpoint('redis');
  const s3 = testEndpoint('s3');
  if (!kafka.ok) return kafka;
  if (!mongodb.ok) return mongodb;
  if (!redis.ok) return redis;
  if (!s3.ok) return s3;
  const { brokers } = kafka;
  const { endpoint, accessKeyId, secretAccessKey } = s3;
  return {
    ok: true,
    services: {
      kafka: { brokers },
      mongodb: { uri: mongodb.uri },
      redis: { url: redis.url },
      s3: { endpoint, accessKeyId, secretAccessKey },
    },
  };
}

/** The sections under `stores` of the roles' configurations. */
export interface StoreFields {
  readonly eventLog: { readonly kafka: object };
  readonly documentStore: { readonly mongodb: object };
  readonly cache: { readonly redis: object };
  readonly objectStore: { readonly s3: object };
}

/**
 * The stores of a platform as its roles' configuration files name them, with secrets as files in the folder. `name`
 * is in the names of everything that the platform keeps: one that is used once has stores of its own.
 */
export async function serviceStores(
  folder: string,
  name: string,
  { kafka, mongodb, redis, s3 }: PlatformServices,
): Promise<StoreFields> {
  await mkdir(folder, { recursive: true });
  const secret = async (file: string, content: string): Promise<string> => {
    await writeFile(path.join(folder, file), `${content}\n`, { mode: 0o600 });
    return path.join(folder, file);
  };
  const { password, ...server } = redis;
  const login = password === undefined ? {} : { passwordFile: await secret('redis-password', password) };
  return {
    eventLog: {
      kafka: { ...kafka, topicPrefix: `${name}.`, replicationFactor: 1, minInsyncReplicas: 1 },
    },
    documentStore: { mongodb: { database: name, uriFile: await secret('mongodb-uri', mongodb.uri) } },
    cache: { redis: { ...server, keyPrefix: `${name}:`, ...login } },
    objectStore: {
      s3: {
        endpoint: s3.endpoint,
        accessKeyIdFile: await secret('s3-access-key-id', s3.accessKeyId),
        secretAccessKeyFile: await secret('s3-secret-access-key', s3.secretAccessKey),
      },
    },
  };
}

/** The stores that a role has in its file. */
export function storesOf(kind: 'dispatcher' | 'worker' | 'feeder' | 'archiver', all: StoreFields): object {
  const { eventLog, documentStore, cache, objectStore } = all;
  return {
    dispatcher: { eventLog, cache },
    worker: { eventLog, documentStore, cache },
    feeder: { cache, objectStore },
    archiver: { eventLog, objectStore },
  }[kind];
}
