import type { Moment } from './child/orders.ts';

/** A call of a port at which the process is killed. */
export interface CrashPointSpec {
  /** As test/crash/child/intercept.ts names it. */
  readonly call: string;
  readonly moments: readonly Moment[];
  /** The n-th call is drawn from 1 to this. */
  readonly maxNth: number;
  /** `composed`: with a store and a log that know nothing of each other. */
  readonly stores: 'embedded' | 'composed' | 'either';
  /** `start`: counted from the start of the process on; `load`: from the moment on at which clients are served. */
  readonly during: 'start' | 'load';
}

const AROUND = ['before', 'after'] as const;
const THROUGHOUT = ['before', 'during', 'after'] as const;

function point(
  call: string,
  moments: readonly Moment[],
  more: Partial<Omit<CrashPointSpec, 'call' | 'moments'>> = {},
): CrashPointSpec {
  return { call, moments, maxNth: 20, stores: 'either', during: 'load', ...more };
}

/** Every call that the product makes. One that is made and not listed here is a fault of the suite. */
export const CRASH_POINTS: readonly CrashPointSpec[] = [
  // Storing and publishing, in one step and in two.
  point('event-store.insertAndAppend', THROUGHOUT, { stores: 'embedded' }),
  point('document-store.insertMany', THROUGHOUT, { stores: 'composed' }),
  point('event-log.append long_term_storage', THROUGHOUT, { stores: 'composed' }),
  // Judging, duplicates, reads, derived sets.
  point('cache.contains fraud', AROUND),
  point('document-store.findByIds', AROUND),
  point('document-store.find', AROUND),
  point('cache.apply interactions', AROUND),
  point('cache.apply branches', AROUND),
  point('cache.page interactions', AROUND, { maxNth: 5 }),
  point('cache.page branches', AROUND, { maxNth: 5 }),
  // Starting.
  point('document-store.ensureCollections', AROUND, { during: 'start', maxNth: 2 }),
  point('event-log.ensureTopics', AROUND, { during: 'start', maxNth: 2 }),
  point('object-store.ensureBuckets', AROUND, { during: 'start', maxNth: 1 }),
  point('object-store.put fraud', THROUGHOUT, { during: 'start', maxNth: 1 }),
  point('object-store.get fraud', AROUND, { during: 'start', maxNth: 1 }),
];

/** The calls among these that no crash point is for. */
export function callsWithoutPoint(calls: Readonly<Record<string, number>>): readonly string[] {
  const known = new Set(CRASH_POINTS.map(({ call }) => call));
  return Object.keys(calls)
    .filter((call) => !known.has(call))
    .sort();
}
