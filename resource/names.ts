import { createHash } from 'node:crypto';
import type { MiniPlatform } from './generated/mini-platform.ts';

type Named = Pick<MiniPlatform, 'metadata' | 'spec'>;

/** What databases and buckets may have, in characters. */
const MAX_CHARACTERS = 63;
const HASH_CHARACTERS = 8;

/** What the names of the platform's topics begin with. Names of namespaces and platforms have no dots. */
export function topicPrefix({ metadata, spec }: Named): string {
  return spec.kafka.topicPrefix ?? `${metadata.namespace}.${metadata.name}.`;
}

/** What the names of the platform's keys in the cache begin with. */
export function keyPrefix({ metadata }: Named): string {
  return `${metadata.namespace}.${metadata.name}:`;
}

/** Name of the platform's database. */
export function databaseName({ metadata, spec }: Named): string {
  return spec.mongodb.database ?? uniqueName(metadata);
}

/** Bucket of the platform's archive. */
export function archiveBucket({ metadata, spec }: Named): string {
  return spec.s3.buckets.archive ?? uniqueName(metadata);
}

/** Namespace and name joined; with a hash behind them where that would be too long, or the name of two platforms. */
function uniqueName({ namespace, name }: MiniPlatform['metadata']): string {
  const joined = `${namespace}-${name}`;
  const isClear = !namespace.includes('-') && !name.includes('-');
  if (isClear && joined.length <= MAX_CHARACTERS) return joined;
  const hash = createHash('sha256').update(`${namespace}/${name}`).digest('hex').slice(0, HASH_CHARACTERS);
  return `${joined.slice(0, MAX_CHARACTERS - HASH_CHARACTERS - 1)}-${hash}`;
}
