import type { Cache } from '../../ports/cache.ts';

/** What a feeder asks of the cache. */
export type FeederCache = Pick<Cache, 'addCounting' | 'apply' | 'contains' | 'fields'>;

/** A fraud list by which names are judged. */
export interface ListInForce {
  /** Of the object that it was read from. */
  readonly etag: string;
  /** How many different names it has. */
  readonly names: number;
  /** In ms since the epoch. */
  readonly loadedAt: number;
  /** Names the load that put it in force; another load of the same object has another one. */
  readonly load: string;
}

/** What the cache says now. */
export interface ListState {
  /** Undefined while no list is known to be complete, so that nobody is judged. */
  readonly list: ListInForce | undefined;
  /** The load that was the last one to put a list in force, whether or not that is still complete. */
  readonly load: string | undefined;
}

/** A list that waits to be put in force. */
export interface LoadedList {
  readonly list: ListInForce;
  /** The set of its names. */
  readonly key: string;
  /** `load` of the state that was read before the object was: no newer list may be replaced by it. */
  readonly replaces: string | undefined;
}

const FIELDS = ['etag', 'names', 'loadedAt', 'load'];

/** Tells which list is in force in a set. */
export async function readListState(cache: FeederCache, set: string): Promise<ListState> {
  // In this order: a list that replaces another one in between is complete too.
  const { complete } = await cache.contains(set, []);
  const [etag, names, loadedAt, load] = await cache.fields(recordOf(set), FIELDS);
  const isKnown = etag !== undefined && load !== undefined;
  const list =
    complete && isKnown ? { etag, names: Number(names), loadedAt: Number(loadedAt), load } : undefined;
  return { list, load };
}

/**
 * Puts a list in force in one step; whoever judges sees the one before or this one. Resolves to false, and nothing
 * has changed, when the cache has lost a part of it or another list was put in force meanwhile.
 */
export async function putInForce(cache: FeederCache, set: string, loaded: LoadedList): Promise<boolean> {
  const { list, key, replaces } = loaded;
  const { etag, names, loadedAt, load } = list;
  const record = recordOf(set);
  return cache.apply(
    [
      { op: 'mark', key, scored: false },
      { op: 'persist', key },
      { op: 'rename', key, to: set },
      { op: 'setFields', key: record, fields: { etag, names: `${names}`, loadedAt: `${loadedAt}`, load } },
    ],
    [
      { kind: 'cardinality', key, equals: names },
      { kind: 'field', key: record, field: 'load', equals: replaces },
    ],
  );
}

/** The hash that tells which list a set holds. */
function recordOf(set: string): string {
  return `${set}:list`;
}
