import { randomUUID } from 'node:crypto';
import type { Cache, CacheGuard, CacheWrite, ClaimOptions } from '../ports/cache.ts';
import { PortError } from '../ports/port-error.ts';
import type { ParkedChange } from './parked-topic.ts';
import type { ParkedWrite } from './parked-write.ts';
import type { ListOptions, ParkedPage } from './parking.ts';
import { scheduleChange, SCHEDULE_KEYS } from './schedule-change.ts';
import { type EventKey, eventName, fromStored, parseWriteName, writeName } from './stored-write.ts';

/** A whole schedule at one moment: no other content ever has the same epoch and version. */
export interface Head {
  /** Names this building of the schedule; each of its keys bears it. */
  readonly epoch: string;
  /** Names this content: another one with each change. */
  readonly version: string;
  /** Generation of the topic that it shows. */
  readonly generation: string;
  /** Offset of the first record that it does not show. */
  readonly offset: bigint;
  /** Numbers of writes by state. */
  readonly parked: number;
  readonly deadLetters: number;
}

/** What was found in the place of the head; the head itself is there only when it is whole. */
export interface Found {
  readonly epoch: string | undefined;
  readonly version: string | undefined;
  readonly head: Head | undefined;
}

/** A value, and the head of the schedule that it was read from. */
export interface Reading<T> {
  readonly head: Head | undefined;
  readonly value: T;
}

const FIELDS = { epoch: '\0epoch', version: '\0version', parked: '\0parked', deadLetters: '\0deadLetters' };
const { entries, due, dead } = SCHEDULE_KEYS;
const NEVER_DUE = Number.MAX_SAFE_INTEGER;

/**
 * The schedule of parked writes: what the topic says, in the cache, where writes are found and claimed. The
 * cache may lose any of it at any moment, or go back to an older copy in a failover.
 *
 * Every change is a compare-and-set: it holds only if all keys still bear the epoch and the content is the very
 * version that the change was made from, and it stores the offset reached together with what the records up to
 * it say. So followers that race lose nothing to each other, an older copy says by itself from where to follow
 * again, and a key that is lost is noticed. Versions are nonces, not numbers: after a failover the same number
 * could name two contents.
 */
export class Schedule {
  readonly #cache: Cache;

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  /** The head, and the writes parked under some events, at one moment. */
  async look(
    generation: string,
    events: readonly EventKey[] = [],
  ): Promise<Found & { readonly writes: readonly (readonly ParkedWrite[])[] }> {
    const { epoch, version, parked, deadLetters } = FIELDS;
    const wanted = [epoch, version, parked, deadLetters, offsetField(generation), ...events.map(eventName)];
    const [foundEpoch, foundVersion, parkedText, deadText, offset, ...texts] = await this.#cache.fields(
      entries,
      wanted,
    );
    const found = { epoch: foundEpoch, version: foundVersion };
    const writes = events.map((event, index) => writesOf(event, texts[index]));
    if (foundEpoch === undefined || foundVersion === undefined || offset === undefined) {
      return { ...found, head: undefined, writes };
    }
    const head = {
      epoch: foundEpoch,
      version: foundVersion,
      generation,
      offset: BigInt(offset),
      parked: Number(parkedText),
      deadLetters: Number(deadText),
    };
    return { ...found, head, writes };
  }

  /** Whether the schedule is whole and stands at this version still. */
  holds(head: Head): Promise<boolean> {
    return this.#cache.apply([], guardsOf(head));
  }

  /**
   * Begins the schedule anew, empty, from an offset on, in place of what was found. Does nothing where that has
   * changed meanwhile: another follower was faster.
   */
  async restart({ epoch, version }: Found, generation: string, offset: bigint): Promise<void> {
    const next = { epoch: randomUUID(), generation, offset, parked: 0, deadLetters: 0 };
    const nonce = { op: 'addScored', members: [epochMember(next.epoch)], keep: 'last' } as const;
    await this.#cache.apply(
      [
        ...[entries, due, dead].map((key): CacheWrite => ({ op: 'delete', key })),
        headWrite({ ...next, version: randomUUID() }),
        { ...nonce, key: due },
        { ...nonce, key: dead },
      ],
      [fieldGuard(FIELDS.epoch, epoch), fieldGuard(FIELDS.version, version)],
    );
  }

  /**
   * Moves on to an offset by what the records up to it say. Resolves to the new head; undefined when the
   * schedule is no longer the one given.
   */
  async advance(head: Head, offset: bigint, changes: readonly ParkedChange[]): Promise<Head | undefined> {
    const events = [...new Map(changes.map(({ key }) => [eventName(key), key])).values()];
    const { version, writes } = await this.look(head.generation, events);
    if (version !== head.version) return undefined;
    const held = new Map(events.map((event, index) => [eventName(event), writes[index] ?? []]));
    const change = scheduleChange(changes, held);
    const next: Head = {
      ...head,
      version: randomUUID(),
      offset,
      parked: head.parked + change.parked,
      deadLetters: head.deadLetters + change.deadLetters,
    };
    const isApplied = await this.#cache.apply([...change.writes, headWrite(next)], guardsOf(head));
    return isApplied ? next : undefined;
  }

  /**
   * Takes due writes under a lease, the longest due first. What has no entry any more is dropped from the set,
   * unless the schedule changes meanwhile (then it comes again after the lease).
   */
  async claim(generation: string, options: ClaimOptions): Promise<readonly ParkedWrite[]> {
    const names = await this.#cache.claimDue(due, options);
    if (names.length === 0) return [];
    const { head, writes } = await this.#named(generation, names);
    const known = new Set(writes.map(writeName));
    const orphans = names.filter((name) => !known.has(name));
    if (orphans.length > 0 && head !== undefined) {
      await this.#cache.apply([{ op: 'removeScored', key: due, members: orphans }], guardsOf(head));
    }
    return writes.filter(({ state }) => state === 'PARKED');
  }

  /** Ends the lease of writes: they are due at this time, in ms since the epoch. Those that are gone stay away. */
  async giveBack(writes: readonly ParkedWrite[], dueAt: number): Promise<void> {
    const back = writes.map((write) => {
      const member = writeName(write);
      return this.#cache.apply(
        [{ op: 'addScored', key: due, members: [{ member, score: dueAt }], keep: 'last' }],
        [{ kind: 'member', key: due, member, scored: true }],
      );
    });
    await Promise.all(back);
  }

  /** One page of the writes in a state, the latest first. */
  async page(generation: string, { state, limit, after }: ListOptions): Promise<Reading<ParkedPage>> {
    const key = state === 'PARKED' ? due : dead;
    const { head } = await this.look(generation);
    const position = after === undefined ? {} : { after: { member: after.id, score: after.dueAt } };
    const { members } = await this.#cache.page(key, { limit: limit + 1, ...position });
    const shown = members.slice(0, limit);
    const { writes } = await this.#named(
      generation,
      shown.map(({ member }) => member),
    );
    // The set may have been lost before it was read: then this is no page of it.
    const isWhole = head !== undefined && (await this.#cache.apply([], epochGuards(head)));
    const last = members.length > limit ? shown.at(-1) : undefined;
    return {
      head: isWhole ? head : undefined,
      value: {
        writes: writes.filter((write) => write.state === state),
        next: last && { dueAt: last.score, id: last.member },
      },
    };
  }

  /** The writes of these names, in their order; those that have no entry are left out. */
  async #named(
    generation: string,
    names: readonly string[],
  ): Promise<Found & { readonly writes: readonly ParkedWrite[] }> {
    const keys = names.flatMap((name) => parseWriteName(name) ?? []);
    const { writes, ...found } = await this.look(generation, keys);
    return {
      ...found,
      writes: keys.flatMap(
        ({ bodyHash }, index) => writes[index]?.find((each) => each.bodyHash === bodyHash) ?? [],
      ),
    };
  }
}

function offsetField(generation: string): string {
  return `\0offset:${generation}/0`;
}

function headWrite({ epoch, version, generation, offset, parked, deadLetters }: Head): CacheWrite {
  return {
    op: 'setFields',
    key: entries,
    fields: {
      [FIELDS.epoch]: epoch,
      [FIELDS.version]: version,
      [FIELDS.parked]: String(parked),
      [FIELDS.deadLetters]: String(deadLetters),
      [offsetField(generation)]: offset.toString(),
    },
  };
}

function epochMember(epoch: string): { readonly member: string; readonly score: number } {
  return { member: `\0epoch:${epoch}`, score: NEVER_DUE };
}

function fieldGuard(field: string, equals: string | undefined): CacheGuard {
  return { kind: 'field', key: entries, field, equals };
}

/** All keys are of this building of the schedule. */
function epochGuards({ epoch }: Head): CacheGuard[] {
  const { member } = epochMember(epoch);
  return [
    fieldGuard(FIELDS.epoch, epoch),
    { kind: 'member', key: due, member, scored: true },
    { kind: 'member', key: dead, member, scored: true },
  ];
}

function guardsOf(head: Head): CacheGuard[] {
  return [...epochGuards(head), fieldGuard(FIELDS.version, head.version)];
}

function writesOf(event: EventKey, text: string | undefined): readonly ParkedWrite[] {
  if (text === undefined) return [];
  const stored: unknown = JSON.parse(text);
  const writes = Array.isArray(stored) ? stored.map((each) => fromStored(event, each)) : [undefined];
  return writes.map((write) => {
    if (write !== undefined) return write;
    throw new PortError('invalid', 'parking.schedule', `${entries} holds something else than parked writes`);
  });
}
