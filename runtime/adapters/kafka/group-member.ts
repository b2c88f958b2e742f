import { assignPartitions } from './assignment.ts';
import type { Coordinator } from './coordinator.ts';
import { pause } from '../pause.ts';
import { Deadline } from './deadline.ts';
import { CODES } from './error-codes.ts';
import { check, hasCode, KafkaFailure } from './failure.ts';
import { Heartbeat } from './heartbeat.ts';
import type { GroupTimes } from './heartbeat.ts';
import { joinGroup, leaveGroup, syncGroup } from './requests.ts';
import type { Assignment, JoinAnswer, Membership } from './requests.ts';
import type { TopicDirectory } from './topic-directory.ts';

/** What a member does with the partitions that it gets. */
export interface GroupListener {
  /** These partitions are the member's. */
  assigned(assignment: Assignment): void;
  /** They are not any more, as soon as this resolves; until then the member may commit. */
  revoked(): Promise<void>;
  /** Something failed; it is tried again. */
  failed(error: unknown): void;
}

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 3_000;
const SYNC_MS = 10_000;
const LEAVE_MS = 2_000;
/** Joining takes at most as long as the slowest member may take, and the way there and back. */
const JOIN_GRACE_MS = 5_000;
/** So many failures in a row that are part of joining are not worth telling. */
const USUAL_FAILURES = 8;

/** Codes that say: begin again. */
const AGAIN: readonly number[] = [
  CODES.coordinatorLoadInProgress,
  CODES.coordinatorNotAvailable,
  CODES.notCoordinator,
  CODES.illegalGeneration,
  CODES.unknownMemberId,
  CODES.rebalanceInProgress,
  CODES.memberIdRequired,
];

/** One membership in a consumer group, kept up for ever: whatever ends it, the member joins again. */
export class GroupMember {
  readonly #coordinator: Coordinator;
  readonly #directory: TopicDirectory;
  readonly #topics: readonly string[];
  readonly #times: GroupTimes;
  readonly #listener: GroupListener;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #memberId = '';
  #joining = false;
  #membership: Membership | undefined;
  /** Partitions by topic that the assignment of this leader rests on. */
  #dealt: ReadonlyMap<string, number> | undefined;

  constructor(
    coordinator: Coordinator,
    directory: TopicDirectory,
    options: { readonly topics: readonly string[]; readonly times: GroupTimes },
    listener: GroupListener,
  ) {
    this.#coordinator = coordinator;
    this.#directory = directory;
    this.#topics = options.topics;
    this.#times = options.times;
    this.#listener = listener;
    this.#running = this.#run();
  }

  /** As whom to commit; undefined while it is no member. */
  get membership(): Membership | undefined {
    return this.#membership;
  }

  /** Gives the partitions back and leaves the group. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#generation();
        failures = 0;
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        failures += 1;
        if (hasCode(error, CODES.unknownMemberId)) this.#memberId = '';
        if (!hasCode(error, ...AGAIN) || failures > USUAL_FAILURES) this.#listener.failed(error);
        await pause(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), MAX_PAUSE_MS), signal);
      }
    }
    await this.#leave();
  }

  /** From joining until the partitions are dealt out anew. */
  async #generation(): Promise<void> {
    this.#joining = true;
    const joined = await this.#join();
    const membership = this.#membershipOf(joined);
    const assignment = await this.#sync(joined, membership);
    this.#joining = false;
    this.#membership = membership;
    this.#listener.assigned(assignment);
    const beats = new Heartbeat(this.#coordinator, membership, this.#times, {
      mustRebalance: () => this.#mustRebalance(),
      onFailure: (error) => this.#listener.failed(error),
    });
    const closing = new Promise<void>((resolve) => {
      if (this.#closing.signal.aborted) resolve();
      this.#closing.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([beats.ended, closing]);
    await this.#listener.revoked();
    this.#membership = undefined;
    await beats.stop();
  }

  async #join(): Promise<JoinAnswer> {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#times;
    const options = { topics: this.#topics, sessionTimeoutMs, rebalanceTimeoutMs };
    for (;;) {
      const answer = await this.#coordinator.ask(
        joinGroup(this.#coordinator.groupId, this.#memberId, options),
        new Deadline(rebalanceTimeoutMs + JOIN_GRACE_MS, this.#closing.signal),
        ({ errorCode }) => errorCode,
      );
      if (answer.errorCode === CODES.memberIdRequired) {
        this.#memberId = answer.memberId;
        continue;
      }
      check(answer.errorCode, `group ${this.#coordinator.groupId}`);
      this.#memberId = answer.memberId;
      return answer;
    }
  }

  #membershipOf({ memberId, generationId }: JoinAnswer): Membership {
    return { groupId: this.#coordinator.groupId, memberId, generationId };
  }

  async #sync(joined: JoinAnswer, membership: Membership): Promise<Assignment> {
    const deadline = new Deadline(SYNC_MS, this.#closing.signal);
    const isLeader = joined.leaderId === joined.memberId;
    this.#dealt = isLeader ? await this.#partitionsOf(joined, deadline) : undefined;
    const dealt =
      this.#dealt === undefined
        ? new Map<string, Assignment>()
        : assignPartitions(joined.members, this.#dealt);
    const answer = await this.#coordinator.ask(
      syncGroup(membership, dealt),
      deadline,
      ({ errorCode }) => errorCode,
    );
    check(answer.errorCode, `group ${membership.groupId}`);
    return answer.assignment;
  }

  /** A topic that is not there has none: those who read others go on. */
  async #partitionsOf({ members }: JoinAnswer, deadline: Deadline): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const name of new Set(members.flatMap(({ topics }) => topics))) {
      try {
        const { partitions } = await this.#directory.find(name, deadline);
        counts.set(name, partitions.length);
      } catch (error) {
        if (!(error instanceof KafkaFailure) || error.kind === 'closed') throw error;
        this.#listener.failed(error);
        counts.set(name, 0);
      }
    }
    return counts;
  }

  /** Whether topics have other partitions than those that were dealt out; only the leader looks. */
  async #mustRebalance(): Promise<boolean> {
    const deadline = new Deadline(SYNC_MS, this.#closing.signal);
    for (const [name, count] of this.#dealt ?? []) {
      const found = await this.#directory.find(name, deadline).catch(() => undefined);
      if (found !== undefined && found.partitions.length !== count) return true;
    }
    return false;
  }

  /** The group would find out by itself, after the session's time-out. */
  async #leave(): Promise<void> {
    if (this.#memberId === '') return;
    // The coordinator would answer what it was asked before first, and that may take long.
    if (this.#joining) this.#coordinator.disconnect();
    const deadline = new Deadline(LEAVE_MS, new AbortController().signal);
    const { groupId } = this.#coordinator;
    await this.#coordinator
      .ask(leaveGroup(groupId, this.#memberId), deadline, ({ errorCode }) => errorCode)
      .catch(() => {});
  }
}
