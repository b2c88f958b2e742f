import { randomUUID } from 'node:crypto';
import type { Cache } from '../../ports/cache.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

export interface FraudListSource {
  readonly bucket: string;
  readonly key: string;
}

export interface LoadOptions {
  readonly objects: ObjectStore;
  readonly cache: Cache;
  readonly source: FraudListSource;
  /** The set that holds the names. */
  readonly set: string;
}

/** `absent`: there is no such object, and the set is as it was. */
export type LoadResult =
  { readonly outcome: 'loaded'; readonly names: number } | { readonly outcome: 'absent' };

const CHUNK = 1_000;
const LOADING_TTL_MS = 10 * 60 * 1000;
const NAME_BYTES = 1_024;

/**
 * Loads the fraud list (one name per line, UTF-8) into the cache: beside the set in use, which it replaces in
 * one step only when every name has arrived. Until then, and when anything fails, the old list stays.
 */
export async function loadFraudList({ objects, cache, source, set }: LoadOptions): Promise<LoadResult> {
  const object = await objects.get(source.bucket, source.key);
  if (object === undefined || object === 'unchanged') return { outcome: 'absent' };
  const loading = `${set}:loading:${object.etag}:${randomUUID()}`;
  const names = new Set<string>();
  let chunk: string[] = [];
  const flush = async (): Promise<void> => {
    await cache.apply([
      { op: 'add', key: loading, members: chunk },
      { op: 'expire', key: loading, ttlMs: LOADING_TTL_MS },
    ]);
    chunk = [];
  };
  for await (const line of lines(object.body)) {
    const name = line.trim().normalize('NFC');
    if (name === '' || names.has(name)) continue;
    names.add(name);
    chunk.push(name);
    if (chunk.length === CHUNK) await flush();
  }
  if (names.size === 0) throw new Error(`the fraud list ${source.bucket}/${source.key} holds no name`);
  await flush();
  const replaced = await cache.apply(
    [
      { op: 'mark', key: loading, scored: false },
      { op: 'persist', key: loading },
      { op: 'rename', key: loading, to: set },
    ],
    [{ kind: 'cardinality', key: loading, equals: names.size }],
  );
  if (!replaced) throw new Error('the cache lost a part of the fraud list while it was loaded');
  return { outcome: 'loaded', names: names.size };
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const piece of body) {
    const parts = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > NAME_BYTES)
      throw new Error(`the fraud list has a line of more than ${NAME_BYTES} characters`);
    yield* parts;
  }
  yield rest + decoder.decode();
}
