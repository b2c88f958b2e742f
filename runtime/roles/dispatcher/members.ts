import type { ChannelCredentials } from '@grpc/grpc-js';
import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { LinkLimits } from '../../link/protocol.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import type { MemberRecord } from '../../ports/membership.ts';
import { Member, type MemberState } from './member.ts';
import { RoundRobin } from './round-robin.ts';

export interface MembersOptions {
  readonly dispatcherId: string;
  readonly credentials: ChannelCredentials;
  readonly clock: Clock;
  readonly limits: LinkLimits;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'members' | 'windowUse' | 'lateReplies'>;
}

/** What an operation needs of a member. */
export interface Wanted {
  readonly operation: string;
  /** Operations with the same key go to the same member; undefined: to any. */
  readonly key: string | undefined;
  /** Uid of a member that has just failed. */
  readonly except?: string;
}

/** A member, or why there is none: nobody serves it now, or all that do are full. */
export type Choice = { readonly member: Member } | { readonly none: 'no-member' | 'full' };

/** Operations of one turn of the event loop that go to one member before the next one is asked. */
const RUN_LENGTH = 32;

const STATES: readonly MemberState[] = ['connecting', 'usable', 'leaving'];

/** All workers that a dispatcher knows, by uid. */
export class Members {
  readonly #options: MembersOptions;
  readonly #members = new Map<string, Member>();
  readonly #roundRobin = new RoundRobin<Member>();
  readonly #left = new Set<string>();
  /** Who is asked in this turn of the event loop, and how often yet. */
  #run: { readonly member: Member; readonly serving: readonly Member[]; left: number } | undefined;
  readonly #serving = new Map<string, readonly Member[]>();
  #changeListener = (): void => {};

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#observe();
  }

  /** Calls back whenever a member changes its state. */
  onChange(listener: () => void): void {
    this.#changeListener = listener;
  }

  /** How many members can be sent operations, `except` left out. */
  usable(except?: string): number {
    let count = 0;
    for (const [uid, member] of this.#members) if (uid !== except && member.state === 'usable') count += 1;
    return count;
  }

  /** How many places are taken, `except` left out: usable members, and those that have just been admitted. */
  occupied(except: string): number {
    const { clock, limits } = this.#options;
    const since = clock.monotonic() - limits.handshakeMs;
    let count = 0;
    for (const [uid, member] of this.#members) {
      const isFresh = member.state === 'connecting' && member.admittedAt > since;
      if (uid !== except && (member.state === 'usable' || isFresh)) count += 1;
    }
    return count;
  }

  /** Whether this start of a worker has left: it cannot come back. */
  hasLeft(bootId: string): boolean {
    return this.#left.has(bootId);
  }

  /**
   * Takes a worker in, or confirms one: a link to the same start of it at the same address stays as it is, one
   * to another start is replaced. A worker never replaces another one.
   */
  admit(record: MemberRecord, bootId: string | undefined): void {
    const known = this.#members.get(record.uid);
    if (known !== undefined) {
      const same = bootId === undefined || known.bootId === bootId;
      if (same && known.record.address === record.address && known.state !== 'connecting') return;
      known.close('the worker has started again');
    }
    const { dispatcherId, credentials, clock, limits, logger, metrics } = this.#options;
    const member: Member = new Member({
      record,
      bootId,
      dispatcherId,
      credentials,
      clock,
      limits,
      logger,
      onChange: () => this.#observe(),
      onGone: () => this.#gone(member),
      onLateReply: () => metrics.lateReplies.inc(),
    });
    this.#members.set(record.uid, member);
    this.#observe();
  }

  /** Whether a worker is known, whatever its state. */
  has(uid: string): boolean {
    return this.#members.has(uid);
  }

  /** The source of truth says that a worker is no more: nothing new is sent to it. */
  remove(uid: string): void {
    this.#members.get(uid)?.end();
    this.#observe();
  }

  /** The member for an operation: its key's owner, or the next in turn with room. */
  choose({ operation, key, except }: Wanted): Choice {
    const all = this.#servingOf(operation);
    const serving = except === undefined ? all : all.filter(({ record }) => record.uid !== except);
    if (serving.length === 0) return { none: 'no-member' };
    if (key !== undefined) {
      const owner = ownerOf(key, serving);
      return owner?.hasRoom === true ? { member: owner } : { none: 'full' };
    }
    const member = this.#next(serving);
    return member === undefined ? { none: 'full' } : { member };
  }

  /** Cuts every link. */
  close(reason: string): void {
    for (const member of [...this.#members.values()]) member.close(reason);
  }

  /**
   * The next member in turn. What is asked in one turn of the event loop goes to one member, up to a bound: so it
   * leaves as one message and makes one batch, in place of small ones for all.
   */
  #next(serving: readonly Member[]): Member | undefined {
    const run = this.#run;
    if (run !== undefined && run.left > 0 && run.serving === serving && run.member.hasRoom) {
      run.left -= 1;
      return run.member;
    }
    const member = this.#roundRobin.next(serving, (candidate) => candidate.hasRoom);
    if (member === undefined) return undefined;
    if (run === undefined) setImmediate(() => (this.#run = undefined));
    this.#run = { member, serving, left: RUN_LENGTH - 1 };
    return member;
  }

  /** Usable members that serve an operation; kept until a member changes, because every operation asks. */
  #servingOf(operation: string): readonly Member[] {
    let serving = this.#serving.get(operation);
    if (serving === undefined) {
      serving = [...this.#members.values()].filter(
        (member) => member.state === 'usable' && member.serves(operation),
      );
      this.#serving.set(operation, serving);
    }
    return serving;
  }

  #gone(member: Member): void {
    const { uid } = member.record;
    if (this.#members.get(uid) === member) this.#members.delete(uid);
    this.#observe();
  }

  #observe(): void {
    this.#serving.clear();
    const { metrics } = this.#options;
    const counts: Record<MemberState, number> = { connecting: 0, usable: 0, leaving: 0 };
    for (const member of this.#members.values()) {
      counts[member.state] += 1;
      if (member.hasLeft && member.bootId !== undefined) this.#rememberLeft(member.bootId);
    }
    for (const state of STATES) metrics.members.set({ state }, counts[state]);
    this.#changeListener();
  }

  #rememberLeft(bootId: string): void {
    this.#left.add(bootId);
    // Bounded: a boot id that left long ago belongs to a process that is gone.
    const [oldest] = this.#left;
    if (this.#left.size > 1_000 && oldest !== undefined) this.#left.delete(oldest);
  }

  /** Brings the gauge of the windows up to date; called when metrics are read. */
  observeWindows(): void {
    let inFlight = 0;
    let window = 0;
    for (const member of this.#members.values()) {
      if (member.state !== 'usable') continue;
      inFlight += member.inFlight;
      window += member.window;
    }
    this.#options.metrics.windowUse.set(window === 0 ? 0 : inFlight / window);
  }
}

/**
 * The member that owns a key: the one with the highest hash of key and uid (rendezvous hashing, Thaler and
 * Ravishankar 1998), so that a member that comes or goes moves only its own keys.
 */
function ownerOf(key: string, members: readonly Member[]): Member | undefined {
  let owner: Member | undefined;
  let highest = '';
  for (const member of members) {
    const weight = createHash('sha1').update(member.record.uid).update('\0').update(key).digest('hex');
    if (weight <= highest) continue;
    owner = member;
    highest = weight;
  }
  return owner;
}
