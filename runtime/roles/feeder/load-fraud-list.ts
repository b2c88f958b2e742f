import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import type { ObjectContent, ObjectStore } from '../../ports/object-store.ts';
import { download } from './download.ts';
import { type FeederCache, type ListInForce, putInForce, readListState } from './list-in-force.ts';
import { NameReader, type RefusedLines } from './name-reader.ts';

export interface FraudListSource {
  readonly bucket: string;
  readonly key: string;
}

/** How far a load has come. */
export interface LoadProgress {
  /** Different names so far. */
  readonly names: number;
  /** Bytes read, and how many there are. */
  readonly bytes: number;
  readonly size: number;
}

export interface LoadOptions {
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly cache: FeederCache;
  readonly source: FraudListSource;
  /** The set that holds the names. */
  readonly set: string;
  /** Whether a list without any line is taken. */
  readonly allowEmpty: boolean;
  readonly clock: Clock;
  /** Ends the load; the list in force stays. */
  readonly signal?: AbortSignal;
  /** Called each 100,000 names, or 2 s. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** What became of a load. Only `loaded` has changed what is in force. */
export type LoadResult =
  | { readonly outcome: 'loaded'; readonly list: ListInForce; readonly refused: RefusedLines }
  /** The object is in force already. */
  | { readonly outcome: 'current'; readonly list: ListInForce }
  /** There is no such object. */
  | { readonly outcome: 'missing' }
  /** Its content is no list that may be put in force, and will not be another time. */
  | {
      readonly outcome: 'refused';
      readonly etag: string;
      readonly reason: string;
      readonly refused: RefusedLines;
    };

const ATTEMPTS = 3;
/** Names of one call to the cache: some ms of work on either side. */
const CHUNK = 500;
/** Longer than the store may be silent, so that a set that is being loaded never goes; renewed by each chunk. */
const LOADING_TTL_MS = 2 * 60_000;
const PROGRESS_NAMES = 100_000;
const PROGRESS_MS = 2_000;

/**
 * Brings a fraud list (one name per line, UTF-8) into force, unless it is: beside the set in use, which it replaces
 * in one step only when the cache has every name. Until then, and when anything fails, the old list stays. Starts
 * over when the cache loses names on the way or another feeder is faster; rejects when that does not end.
 *
 * A line that is not UTF-8 refuses the list, as nobody knows whom it names. Other lines that are no names are left
 * out and told: no client can bear such a name, so the list judges all clients as its object says.
 */
export async function loadFraudList(options: LoadOptions): Promise<LoadResult> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const result = await tryToLoad(options);
    if (result !== undefined) return result;
  }
  throw new Error(
    `the cache lost names of the fraud list while it was loaded, or others loaded it, ${ATTEMPTS} times`,
  );
}

/** Undefined: the list that was loaded could not be put in force. */
async function tryToLoad(options: LoadOptions): Promise<LoadResult | undefined> {
  const { objects, cache, source, set, allowEmpty, clock } = options;
  const { list: current, load: replaces } = await readListState(cache, set);
  const unless = current === undefined ? {} : { unlessEtag: current.etag };
  const object = await objects.get(source.bucket, source.key, unless);
  if (object === undefined) return { outcome: 'missing' };
  // Without a current list nothing can be unchanged.
  if (object === 'unchanged') return current && { outcome: 'current', list: current };
  const { etag } = object;
  const load = randomUUID();
  const key = `${set}:loading:${etag}:${load}`;
  let renamed = false;
  try {
    const { names, refused } = await fill(key, object, options);
    const reason = refusal(names, refused, allowEmpty);
    if (reason !== undefined) return { outcome: 'refused', etag, reason, refused };
    const list = { etag, names, loadedAt: clock.now(), load };
    renamed = await putInForce(cache, set, { list, key, replaces });
    return renamed ? { outcome: 'loaded', list, refused } : undefined;
  } finally {
    if (!renamed) await discard(cache, key);
  }
}

/** Puts the names into a set; resolves to how many different ones the cache has taken. */
async function fill(
  key: string,
  object: ObjectContent,
  { cache, clock, signal = new AbortController().signal, onProgress = () => {} }: LoadOptions,
): Promise<{ readonly names: number; readonly refused: RefusedLines }> {
  const reader = new NameReader();
  const report = progressReport(clock, onProgress);
  let [names, bytes] = [0, 0];
  let chunk: string[] = [];
  const store = async (): Promise<void> => {
    if (chunk.length > 0) names += await cache.addCounting(key, chunk, LOADING_TTL_MS);
    chunk = [];
    report({ names, bytes, size: object.size });
    // Neither a cache in this process nor a piece that is there already lets others have their turn.
    await turn();
    signal.throwIfAborted();
  };
  const take = async (some: Iterable<string>): Promise<void> => {
    for (const name of some) {
      chunk.push(name);
      if (chunk.length === CHUNK) await store();
    }
    await store();
  };
  for await (const piece of download(object, { clock, signal })) {
    bytes += piece.byteLength;
    await take(reader.read(piece));
  }
  await take(reader.end());
  return { names, refused: reader.refused };
}

function refusal(names: number, refused: RefusedLines, allowEmpty: boolean): string | undefined {
  const { count, undecodable } = refused;
  if (undecodable > 0) return `${undecodable} of its lines are not UTF-8, so nobody knows whom they name`;
  if (names > 0) return undefined;
  if (count > 0) return 'none of its lines is a name';
  return allowEmpty ? undefined : 'it is empty, and spec.feeder.allowEmpty is false';
}

async function discard(cache: FeederCache, key: string): Promise<void> {
  try {
    await cache.apply([{ op: 'delete', key }]);
  } catch {
    // Its time to live ends it.
  }
}

function progressReport(
  clock: Clock,
  onProgress: (progress: LoadProgress) => void,
): (progress: LoadProgress) => void {
  let names = PROGRESS_NAMES;
  let due = clock.monotonic() + PROGRESS_MS;
  return (progress) => {
    if (progress.names < names && clock.monotonic() < due) return;
    onProgress(progress);
    names = progress.names + PROGRESS_NAMES;
    due = clock.monotonic() + PROGRESS_MS;
  };
}
