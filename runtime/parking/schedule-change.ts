import type { CacheWrite, ScoredMember } from '../ports/cache.ts';
import type { ParkedChange } from './parked-topic.ts';
import type { ParkedWrite } from './parked-write.ts';
import { eventName, toStored, writeName } from './stored-write.ts';

/** Keys of the schedule in the cache. */
export const SCHEDULE_KEYS = {
  /** A hash: the writes parked under each event, and the head of the schedule. */
  entries: 'parked:entries',
  /** Sorted sets of names of writes: by when they are due, and by when they were set aside. */
  due: 'parked:due',
  dead: 'parked:dead',
} as const;

/** What changes in the cache, and by how much the numbers of writes in each state do. */
export interface ScheduleChange {
  readonly writes: readonly CacheWrite[];
  readonly parked: number;
  readonly deadLetters: number;
}

/** What records of the topic change in the schedule, given what it holds now of their events, by event name. */
export function scheduleChange(
  changes: readonly ParkedChange[],
  held: ReadonlyMap<string, readonly ParkedWrite[]>,
): ScheduleChange {
  // Only the last record of each write counts.
  const last = new Map(changes.map((change) => [writeName(change.key), change]));
  const after = applied(last.values(), held);
  const before = [...held.values()].flat();
  const writes = [...after.values()].flatMap((bodies) => [...bodies.values()]);
  return {
    writes: [
      ...entryWrites(after),
      ...setWrites(SCHEDULE_KEYS.due, 'PARKED', last),
      ...setWrites(SCHEDULE_KEYS.dead, 'DEAD_LETTER', last),
    ],
    parked: countOf(writes, 'PARKED') - countOf(before, 'PARKED'),
    deadLetters: countOf(writes, 'DEAD_LETTER') - countOf(before, 'DEAD_LETTER'),
  };
}

/** Writes by event name and body hash. */
type Events = ReadonlyMap<string, Map<string, ParkedWrite>>;

function applied(changes: Iterable<ParkedChange>, held: ReadonlyMap<string, readonly ParkedWrite[]>): Events {
  const events = new Map<string, Map<string, ParkedWrite>>();
  for (const { key, write } of changes) {
    const name = eventName(key);
    const bodies = events.get(name) ?? new Map((held.get(name) ?? []).map((each) => [each.bodyHash, each]));
    events.set(name, bodies);
    if (write === undefined) bodies.delete(key.bodyHash);
    else bodies.set(key.bodyHash, write);
  }
  return events;
}

function entryWrites(events: Events): CacheWrite[] {
  const key = SCHEDULE_KEYS.entries;
  const fields: Record<string, string> = {};
  const emptied: string[] = [];
  for (const [name, bodies] of events) {
    if (bodies.size === 0) emptied.push(name);
    else fields[name] = JSON.stringify([...bodies.values()].map(toStored));
  }
  return [
    { op: 'setFields', key, fields },
    { op: 'removeFields', key, fields: emptied },
  ];
}

function setWrites(
  key: string,
  state: ParkedWrite['state'],
  changes: ReadonlyMap<string, ParkedChange>,
): CacheWrite[] {
  const members: ScoredMember[] = [];
  const others: string[] = [];
  for (const [member, { write }] of changes) {
    if (write?.state === state) members.push({ member, score: write.dueAt });
    else others.push(member);
  }
  return [
    { op: 'addScored', key, members, keep: 'last' },
    { op: 'removeScored', key, members: others },
  ];
}

function countOf(writes: readonly ParkedWrite[], state: ParkedWrite['state']): number {
  return writes.filter((write) => write.state === state).length;
}
