import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';

/** Services that a platform runs on. */
export interface PlatformServices {
  readonly kafka: { readonly address: string };
  readonly mongodb: { readonly uri: string };
  readonly redis: {
    readonly sentinels: readonly string[];
    readonly masterName: string;
    readonly password: string;
  };
  readonly s3: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Buckets that the platform reads and writes, and the fraud list's place. */
export const BUCKETS = { archive: 'bank-archive', fraud: 'fraud' } as const;
export const FRAUD_LIST_KEY = 'fraud-list.txt';

export interface PlatformFiles {
  readonly yaml: string;
  readonly file: string;
  readonly secretsDir: string;
}

/** Writes the MiniPlatform that uses the services, and its secrets as `<secret>/<key>`, into the folder. */
export async function writePlatform(services: PlatformServices, folder: string): Promise<PlatformFiles> {
  const { kafka, mongodb, redis, s3 } = services;
  const secretsDir = path.join(folder, 'secrets');
  await writeSecret(secretsDir, 'mongodb', { uri: mongodb.uri });
  await writeSecret(secretsDir, 'redis', { password: redis.password });
  const { accessKeyId, secretAccessKey } = s3;
  await writeSecret(secretsDir, 's3', { accessKeyId, secretAccessKey });
  const yaml = stringify({
    apiVersion: 'mini-platform.io/v1alpha1',
    kind: 'MiniPlatform',
    metadata: { name: 'bank' },
    spec: {
      domains: ['bank'],
      worker: { replicas: 2 },
      feeder: { source: { bucket: BUCKETS.fraud, key: FRAUD_LIST_KEY } },
      // One broker has one copy of everything.
      kafka: { brokers: [kafka.address], replicationFactor: 1, minInsyncReplicas: 1 },
      mongodb: { uriSecret: { name: 'mongodb', key: 'uri' } },
      redis: { sentinels: redis.sentinels, masterName: redis.masterName, secret: { name: 'redis' } },
      s3: { endpoint: s3.endpoint, secret: { name: 's3' }, buckets: { archive: BUCKETS.archive } },
    },
  });
  const file = path.join(folder, 'bank.yaml');
  await writeFile(file, yaml);
  return { yaml, file, secretsDir };
}

async function writeSecret(
  secretsDir: string,
  name: string,
  keys: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = path.join(secretsDir, name);
  await mkdir(folder, { recursive: true });
  for (const [key, value] of Object.entries(keys)) {
    await writeFile(path.join(folder, key), value, { mode: 0o600 });
  }
}
