import type { StoreConfigs } from '../config/stores.ts';

/** Where Kafka is, for people. */
export function kafkaAt({ brokers }: StoreConfigs['eventLog']['kafka']): string {
  return `Kafka at ${brokers.join(', ')}`;
}

/** Where Redis is, for people. */
export function redisAt({ url, sentinels = [], masterName }: StoreConfigs['cache']['redis']): string {
  if (url !== undefined) return `Redis at ${url.replace(/^rediss?:\/\//, '')}`;
  return `Redis ${masterName ?? ''} by the Sentinels at ${sentinels.join(', ')}`;
}

/** Where the object store is, for people. */
export function s3At({ endpoint }: StoreConfigs['objectStore']['s3']): string {
  return `S3 at ${endpoint}`;
}

const HOST = /^(\[[0-9a-fA-F:]+\]|[-_.a-zA-Z0-9]+)(:[0-9]{1,5})?$/;

/**
 * Where MongoDB is, for people, by its connection string. Of that, only what is certainly an address is shown: the
 * rest may be a password, also where the string is malformed.
 */
export function mongodbAt(uri: string): string {
  const [, authority = ''] = /^mongodb(?:\+srv)?:\/\/(.*)$/s.exec(uri) ?? [];
  const [hosts = ''] = authority.slice(authority.lastIndexOf('@') + 1).split(/[/?]/);
  const addresses = hosts.split(',').filter((address) => HOST.test(address));
  return addresses.length === 0 ? 'MongoDB' : `MongoDB at ${addresses.join(', ')}`;
}
