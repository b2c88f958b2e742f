import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DerivedSet } from '../../runtime/domain-kit/derived-set.ts';
import type { Cache, ScoredMember } from '../../runtime/ports/cache.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { putInForce, readListState } from '../../runtime/roles/feeder/list-in-force.ts';
import { eventually } from '../helpers/eventually.ts';

const SET = 'fraud';
const FIRST_NAMES = 50;
const IN_FORCE_MS = 40_000;
const PAUSE_MS = 2;
/** Derived sets that are written to and read; each stays below one page. */
const SETS = 100;
const PAGE = 1_000;

/** An answer that was wrong. */
export interface Wrong {
  readonly what: string;
  /** For how long it had been otherwise when the question was asked, in ms. */
  readonly afterMs: number;
}

/** Load on a cache that goes on until it is stopped. */
export interface Load {
  readonly wrong: readonly Wrong[];
  /** How often the cache was away, which is no fault of it. */
  readonly refusals: number;
  stop(): Promise<void>;
}

/** A list that grows, kept in force as a feeder does it, and judges that ask all the time who is on it. */
export interface FraudLoad extends Load {
  /** How often a judge was told that the list is not known to be complete. */
  readonly unknown: number;
  /** How often a judge was told who is on it. */
  readonly judged: number;
  /** Adds a name; resolves when the list that has it is in force. */
  grow(): Promise<void>;
}

/** Starts a feeder and judges, each with a connection of its own. */
export function startFraudLoad(feeder: Cache, judges: readonly Cache[]): FraudLoad {
  /** When the list with so many names was in force, by its number of names. */
  const inForceAt = new Map<number, number>();
  const wrong: Wrong[] = [];
  const count = { unknown: 0, judged: 0 };
  let wanted = FIRST_NAMES;
  let inForce = 0;

  const feed = async (): Promise<void> => {
    const { list, load: replaces } = await readListState(feeder, SET);
    if (list?.names === wanted) return;
    const names = wanted;
    const load = randomUUID();
    const key = `${SET}:loading:${load}`;
    await feeder.addCounting(key, namesOf(names), 60_000);
    const loaded = { etag: `${names}`, names, loadedAt: Date.now(), load };
    if (!(await putInForce(feeder, SET, { list: loaded, key, replaces }))) return;
    inForce = names;
    if (!inForceAt.has(names)) inForceAt.set(names, performance.now());
  };

  const judge = async (cache: Cache): Promise<void> => {
    const known = inForce;
    const askedAt = performance.now();
    const { complete, contains } = await cache.contains(SET, [...namesOf(known), 'innocent']);
    if (!complete) {
      count.unknown += 1;
      return;
    }
    count.judged += 1;
    if (contains.at(-1) === true) wrong.push({ what: 'innocent is listed', afterMs: Infinity });
    const missed = contains.slice(0, -1).indexOf(false);
    if (missed < 0) return;
    const since = inForceAt.get(Math.max(missed + 1, FIRST_NAMES)) ?? askedAt;
    wrong.push({ what: `name ${missed} is clean`, afterMs: askedAt - since });
  };

  const loops = startLoops([feed, ...judges.map((cache) => () => judge(cache))]);
  return {
    wrong,
    get refusals() {
      return loops.refusals;
    },
    get unknown() {
      return count.unknown;
    },
    get judged() {
      return count.judged;
    },
    async grow() {
      wanted += 1;
      await eventually(`a list of ${wanted} names is in force`, () => inForceAt.has(wanted), IN_FORCE_MS);
    },
    stop: () => loops.stop(),
  };
}

/** Names derived from what is stored, added by one connection and read by others. */
export interface DerivedLoad extends Load {
  /** How many names the cache has acknowledged. */
  readonly acknowledged: number;
  /** How many pages were read. */
  readonly pages: number;
}

/** Starts a writer and readers, each with a connection of its own. What is stored is never lost here. */
export function startDerivedLoad(writer: Cache, readers: readonly Cache[]): DerivedLoad {
  const stored = Array.from({ length: SETS }, (): ScoredMember[] => []);
  const acknowledged = Array.from({ length: SETS }, (): { member: string; at: number }[] => []);
  const wrong: Wrong[] = [];
  const count = { written: 0, acknowledged: 0, pages: 0 };
  const derivedOn = (cache: Cache): DerivedSet =>
    new DerivedSet({
      cache,
      name: 'derived',
      ttlMs: 3_600_000,
      // eslint-disable-next-line @typescript-eslint/require-await -- as a store would be read
      source: async function* (of) {
        yield [...(stored[Number(of)] ?? [])];
      },
    });

  const write = async (set: DerivedSet): Promise<void> => {
    const index = count.written % SETS;
    const score = count.written;
    count.written += 1;
    const member = `name ${score}`;
    stored[index]?.push({ member, score });
    await writer.apply(set.additions(`${index}`, [{ member, score }]));
    acknowledged[index]?.push({ member, at: performance.now() });
    count.acknowledged += 1;
  };

  const read = async (set: DerivedSet): Promise<void> => {
    const index = Math.floor(Math.random() * SETS);
    const expected = [...(acknowledged[index] ?? [])];
    const askedAt = performance.now();
    const { members } = await set.page(`${index}`, { limit: PAGE });
    count.pages += 1;
    const found = new Set(members.map(({ member }) => member));
    const missed = expected.find(({ member }) => !found.has(member));
    if (missed !== undefined) {
      wrong.push({ what: `${missed.member} is not in set ${index}`, afterMs: askedAt - missed.at });
    }
  };

  const own = derivedOn(writer);
  const sets = readers.map(derivedOn);
  const loops = startLoops([() => write(own), ...sets.map((set) => () => read(set))]);
  return {
    wrong,
    get refusals() {
      return loops.refusals;
    },
    get acknowledged() {
      return count.acknowledged;
    },
    get pages() {
      return count.pages;
    },
    stop: () => loops.stop(),
  };
}

function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `name ${index}`);
}

/** Does each of them again and again. That the cache is away is counted; any other error comes out of `stop`. */
function startLoops(steps: readonly (() => Promise<void>)[]): {
  readonly refusals: number;
  stop(): Promise<void>;
} {
  const stopped = new AbortController();
  let refusals = 0;
  const loop = async (step: () => Promise<void>): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await step();
      } catch (error) {
        if (!(error instanceof PortError)) throw error;
        refusals += 1;
      }
      await sleep(PAUSE_MS);
    }
  };
  const running = Promise.allSettled(steps.map(loop));
  return {
    get refusals() {
      return refusals;
    },
    async stop() {
      stopped.abort();
      const failed = (await running).find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}
