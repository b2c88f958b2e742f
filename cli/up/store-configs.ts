import path from 'node:path';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { databaseName, keyPrefix, topicPrefix } from '../../resource/names.ts';

/** The `stores` sections of the roles' configurations, as they are written; a store that is absent is embedded. */
export interface StoreSections {
  readonly eventLog: object | undefined;
  readonly documentStore: object | undefined;
  readonly cache: object | undefined;
  readonly objectStore: object | undefined;
}

type SecretFile = (secret: { readonly name: string } | undefined, key: string) => string | undefined;

/** The services that the resource names; what it says of Secrets becomes paths, `<secretsDir>/<secret>/<key>`. */
export function storeConfigs(resource: MiniPlatform, secretsDir: string): StoreSections {
  const file: SecretFile = (secret, key) =>
    secret === undefined ? undefined : path.resolve(secretsDir, secret.name, key);
  return {
    eventLog: eventLog(resource, file),
    documentStore: documentStore(resource, file),
    cache: cache(resource, file),
    objectStore: objectStore(resource, file),
  };
}

function eventLog(resource: MiniPlatform, file: SecretFile): object | undefined {
  const { authSecret, caSecret, ...kafka } = resource.spec.kafka;
  if (kafka.brokers === undefined) return undefined;
  return {
    kafka: {
      ...kafka,
      topicPrefix: topicPrefix(resource),
      caFile: caFile(caSecret, file),
      usernameFile: file(authSecret, 'username'),
      passwordFile: file(authSecret, 'password'),
    },
  };
}

function documentStore(resource: MiniPlatform, file: SecretFile): object | undefined {
  const { uriSecret, caSecret } = resource.spec.mongodb;
  if (uriSecret === undefined) return undefined;
  return {
    mongodb: {
      database: databaseName(resource),
      uriFile: file(uriSecret, uriSecret.key),
      caFile: caFile(caSecret, file),
    },
  };
}

function cache(resource: MiniPlatform, file: SecretFile): object | undefined {
  if (resource.spec.redis === undefined) return undefined;
  const { secret, caSecret, ...redis } = resource.spec.redis;
  return {
    redis: {
      ...redis,
      keyPrefix: keyPrefix(resource),
      caFile: caFile(caSecret, file),
      usernameFile: file(secret, 'username'),
      passwordFile: file(secret, 'password'),
    },
  };
}

function objectStore(resource: MiniPlatform, file: SecretFile): object | undefined {
  const { endpoint, region, secret, caSecret } = resource.spec.s3;
  if (endpoint === undefined) return undefined;
  return {
    s3: {
      endpoint,
      region,
      caFile: caFile(caSecret, file),
      accessKeyIdFile: file(secret, 'accessKeyId'),
      secretAccessKeyFile: file(secret, 'secretAccessKey'),
    },
  };
}

function caFile(
  secret: { readonly name: string; readonly key: string } | undefined,
  file: SecretFile,
): string | undefined {
  return secret === undefined ? undefined : file(secret, secret.key);
}
