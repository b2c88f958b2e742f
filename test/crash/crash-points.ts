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
  /** Needs writes that are parked, so storing fails often. */
  readonly parks: boolean;
  /** Between two steps of something that was promised: such points have their turn first. */
  readonly essential: boolean;
}

const AROUND = ['before', 'after'] as const;
const THROUGHOUT = ['before', 'during', 'after'] as const;

function point(
  call: string,
  moments: readonly Moment[],
  more: Partial<Omit<CrashPointSpec, 'call' | 'moments'>> = {},
): CrashPointSpec {
  return {
    call,
    moments,
    maxNth: 20,
    stores: 'either',
    during: 'load',
    parks: false,
    essential: false,
    ...more,
  };
}

/** Every call that the product makes. One that is made and not listed here is a fault of the suite. */
export const CRASH_POINTS: readonly CrashPointSpec[] = [
  // Storing and publishing, in one step and in two.
  point('event-store.insertAndAppend', THROUGHOUT, { essential: true, stores: 'embedded' }),
  point('document-store.insertMany', THROUGHOUT, { essential: true, stores: 'composed' }),
  point('event-log.append long_term_storage', THROUGHOUT, { essential: true, stores: 'composed' }),
  // Judging, duplicates, reads, derived sets.
  point('cache.contains fraud', AROUND),
  point('document-store.findByIds', AROUND),
  point('document-store.find', AROUND),
  point('cache.apply interactions', AROUND, { essential: true }),
  point('cache.apply branches', AROUND, { essential: true }),
  point('cache.page interactions', AROUND, { maxNth: 5 }),
  point('cache.page branches', AROUND, { maxNth: 5 }),
  // Publishing what a worker that died has not: its watermark.
  point('document-store.replace', THROUGHOUT, { stores: 'composed', during: 'start', maxNth: 3 }),
  point('document-store.findByIdRange', AROUND, { stores: 'composed', maxNth: 1 }),
  point('cache.acquireLease background', AROUND, { stores: 'composed', maxNth: 1 }),
  // Parking and resending.
  point('event-log.append parked_writes', THROUGHOUT, { essential: true, parks: true, maxNth: 5 }),
  point('cache.apply parked', AROUND, { essential: true, parks: true, maxNth: 5 }),
  point('cache.fields parked', AROUND, { parks: true, maxNth: 5 }),
  point('cache.claimDue parked', AROUND, { parks: true, maxNth: 3 }),
  point('cache.page parked', AROUND, { parks: true, maxNth: 3 }),
  point('event-log.read', AROUND, { parks: true, maxNth: 5 }),
  // Archiving.
  point('object-store.put archive', THROUGHOUT, { essential: true, maxNth: 6 }),
  point('event-log.commit long_term_storage', THROUGHOUT, { essential: true, maxNth: 6 }),
  // Starting.
  point('cache.check', AROUND, { during: 'start', maxNth: 4 }),
  point('object-store.head fraud', AROUND, { during: 'start', maxNth: 1 }),
  point('document-store.ensureCollections', AROUND, { during: 'start', maxNth: 2 }),
  point('event-log.ensureTopics', AROUND, { during: 'start', maxNth: 3 }),
  point('event-log.subscribe long_term_storage', AROUND, { during: 'start', maxNth: 1 }),
  point('event-log.ranges', AROUND, { during: 'start', maxNth: 1 }),
  point('event-log.committed', AROUND, { during: 'start', maxNth: 1 }),
  point('object-store.ensureBuckets', AROUND, { during: 'start', maxNth: 3 }),
  point('object-store.list archive', AROUND, { during: 'start', maxNth: 4 }),
  point('object-store.head archive', AROUND, { during: 'start', maxNth: 4 }),
  point('object-store.put archive', AROUND, { during: 'start', maxNth: 2 }),
  point('object-store.remove archive', AROUND, { during: 'start', maxNth: 1 }),
  point('object-store.put fraud', THROUGHOUT, { during: 'start', maxNth: 1 }),
  point('object-store.get fraud', AROUND, { during: 'start', maxNth: 1 }),
  point('cache.fields fraud', AROUND, { during: 'start', maxNth: 1 }),
  point('cache.addCounting fraud', AROUND, { during: 'start', maxNth: 1 }),
  point('cache.apply fraud', AROUND, { during: 'start', maxNth: 1 }),
];

/** Calls without a crash point, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'cache.apply': 'writes nothing',
  'document-store.replaceIf': 'made for a worker that was gone for 15 s, and no life is as long',
  'document-store.remove': 'the same, and when a worker drains',
  'object-store.get archive': 'an archiver reads only what another one has put in its place',
};

/** The calls among these that no crash point is for. */
export function callsWithoutPoint(calls: readonly string[]): readonly string[] {
  const known = new Set(CRASH_POINTS.map(({ call }) => call));
  return calls.filter((call) => !known.has(call) && !(call in LEFT_OUT)).toSorted();
}
