import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CacheData, type CacheValue } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { EmbeddedDatabase } from '../../runtime/adapters/embedded/database.ts';
import { EmbeddedEventLog } from '../../runtime/adapters/embedded/event-log.ts';
import { SortedSet } from '../../runtime/adapters/embedded/sorted-set.ts';
import { PARKED_WRITES } from '../../runtime/parking/parked-topic.ts';
import type { ParkedWrite } from '../../runtime/parking/parked-write.ts';
import type { Cache, ScoredMember } from '../../runtime/ports/cache.ts';
import type { EventLog, LogRecord } from '../../runtime/ports/event-log.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { ManualClock } from './manual-clock.ts';

const TOPIC = PARKED_WRITES.name;
export const PARKING_KEYS = ['parked:entries', 'parked:due', 'parked:dead'] as const;

/** Something that a test does before calls of a port; when it throws, or rejects, the call does so and is not made. */
export class Tap {
  before: (method: string) => void | Promise<void> = () => {};

  /** From now on the port is away. */
  cut(): void {
    this.before = (method) => {
      throw new PortError('unavailable', method, 'cut off by the test');
    };
  }

  /** From now on nothing is done before calls. */
  mend(): void {
    this.before = () => {};
  }

  wrap<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]): Promise<unknown> => {
          await this.before(String(property));
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  }
}

/** An event log and a cache for parking, with a clock that stands still. */
export interface ParkingStores {
  readonly clock: ManualClock;
  readonly log: EventLog;
  readonly logTap: Tap;
  readonly cache: Cache;
  readonly cacheTap: Tap;
  readonly cacheData: CacheData;
  /** The log and the cache past the taps. */
  readonly direct: { readonly log: EmbeddedEventLog; readonly cache: Cache };
  /** Resolves whatever is parked and empties the cache, for the next test: opening stores anew takes its time. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Opens fresh stores. */
export async function openParkingStores(): Promise<ParkingStores> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mini-platform-parking-'));
  const database = await EmbeddedDatabase.open(directory);
  const clock = new ManualClock();
  const log = new EmbeddedEventLog(database, { now: () => clock.now() });
  const cacheData = new CacheData(() => clock.now());
  const cache = new EmbeddedCache(cacheData);
  const [logTap, cacheTap] = [new Tap(), new Tap()];
  return {
    clock,
    log: logTap.wrap<EventLog>(log),
    logTap,
    cache: cacheTap.wrap<Cache>(cache),
    cacheTap,
    cacheData,
    direct: { log, cache },
    async reset() {
      logTap.mend();
      cacheTap.mend();
      await log.ensureTopics([PARKED_WRITES]);
      const records = (await allRecords(log)).filter(({ value }) => value !== null);
      await log.append(records.map(({ key }) => ({ topic: TOPIC, key, value: null })));
      cacheData.flush();
    },
    async close() {
      await log.close();
      await database.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** Takes a copy of the schedule; the function that is returned puts it back, as a replica that lags behind would. */
export function copySchedule(data: CacheData): () => void {
  const values = PARKING_KEYS.map((key) => [key, copyOf(data.get(key))] as const);
  return () => {
    for (const [key, value] of values) {
      const copy = copyOf(value);
      if (copy === undefined) data.delete(key);
      else data.put(key, copy);
    }
  };
}

function copyOf(value: CacheValue | undefined): CacheValue | undefined {
  if (value?.kind === 'hash') return { kind: 'hash', fields: new Map(value.fields) };
  if (value?.kind !== 'sorted') return undefined;
  const members = new SortedSet();
  for (const member of value.members.page(undefined, value.members.size)) members.add(member, 'last');
  return { kind: 'sorted', members, reserved: new Map(value.reserved), mark: value.mark };
}

/** A schedule as a test compares it: by event, and by name of the write. */
export interface ScheduleContent {
  readonly entries: Readonly<Record<string, readonly unknown[]>>;
  readonly due: Readonly<Record<string, number>>;
  readonly dead: Readonly<Record<string, number>>;
  readonly counts: readonly number[];
}

type Stored = Pick<ParkedWrite, 'bodyHash' | 'state' | 'dueAt'>;

/** What the schedule has to be, by a naive fold of the topic. */
export async function foldOfTopic(log: EventLog): Promise<ScheduleContent> {
  const last = new Map<string, string>();
  for (const { key, value } of await allRecords(log)) {
    if (key === null) continue;
    if (value === null) last.delete(key);
    else last.set(key, Buffer.from(value).toString());
  }
  const entries: Record<string, Stored[]> = {};
  const sets = { PARKED: {} as Record<string, number>, DEAD_LETTER: {} as Record<string, number> };
  for (const [key, text] of last) {
    const write = JSON.parse(text) as Stored;
    const event = key.slice(0, key.lastIndexOf('\n'));
    (entries[event] ??= []).push(write);
    sets[write.state][key] = write.dueAt;
  }
  const counts = [Object.keys(sets.PARKED).length, Object.keys(sets.DEAD_LETTER).length];
  return { entries: sortedEntries(entries), due: sets.PARKED, dead: sets.DEAD_LETTER, counts };
}

/** What the cache holds of the schedule. */
export async function scheduleIn(data: CacheData, cache: Cache): Promise<ScheduleContent> {
  const hash = data.getAs('hash', 'parked:entries')?.fields ?? new Map<string, string>();
  const entries = [...hash].filter(([field]) => !field.startsWith('\0'));
  return {
    entries: sortedEntries(
      Object.fromEntries(entries.map(([field, text]) => [field, JSON.parse(text) as Stored[]])),
    ),
    due: await setIn(cache, 'parked:due'),
    dead: await setIn(cache, 'parked:dead'),
    counts: ['\0parked', '\0deadLetters'].map((field) => Number(hash.get(field))),
  };
}

function sortedEntries(entries: Record<string, Stored[]>): Record<string, Stored[]> {
  const byHash = (one: Stored, other: Stored): number => (one.bodyHash < other.bodyHash ? -1 : 1);
  return Object.fromEntries(
    Object.entries(entries).map(([event, writes]) => [event, writes.toSorted(byHash)]),
  );
}

async function setIn(cache: Cache, key: string): Promise<Record<string, number>> {
  const scores: Record<string, number> = {};
  let after: ScoredMember | undefined;
  do {
    const { members } = await cache.page(key, after === undefined ? { limit: 500 } : { limit: 500, after });
    for (const { member, score } of members) scores[member] = score;
    after = members.at(-1);
  } while (after !== undefined);
  return scores;
}

async function allRecords(log: EventLog): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  let from = (await log.ranges(TOPIC))[0]?.start ?? 0n;
  for (;;) {
    const page = await log.read({ topic: TOPIC, partition: 0, from, maxRecords: 500 });
    const last = page.at(-1);
    if (last === undefined) return records;
    records.push(...page);
    from = last.offset + 1n;
  }
}

/** A parked write, told apart by the number of its event. */
export function parkedWrite(event: number, more: Partial<ParkedWrite> = {}): ParkedWrite {
  return {
    operation: 'bank.transaction',
    eventId: `event-${event}`,
    bodyHash: 'body',
    request: new TextEncoder().encode(`request ${event}`),
    state: 'PARKED',
    parkedAt: 1_700_000_000_000,
    dueAt: 1_700_000_000_000 + event,
    attempts: 0,
    cause: 'EXPIRED',
    message: 'for a test',
    ...more,
  };
}
