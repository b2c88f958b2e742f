import type { Coordinator } from './coordinator.ts';
import { pause } from '../pause.ts';
import { Deadline } from './deadline.ts';
import { CODES } from './error-codes.ts';
import { check } from './failure.ts';
import { heartbeat } from './requests.ts';
import type { Membership } from './requests.ts';

/** Times of a membership, in ms. */
export interface GroupTimes {
  readonly heartbeatMs: number;
  /** A member that is not heard of for so long is taken for dead. */
  readonly sessionTimeoutMs: number;
  /** How long the others wait for a member whose handlers have not ended when partitions are dealt out anew. */
  readonly rebalanceTimeoutMs: number;
}

/** `rebalance`: join again; `lost`: the partitions may be others' already. */
export type MembershipEnd = 'rebalance' | 'lost';

const ANSWER_MS = 3_000;
const LOST: readonly number[] = [CODES.illegalGeneration, CODES.unknownMemberId, CODES.fencedInstanceId];

/**
 * Keeps a membership alive, until it is stopped; whatever handlers do meanwhile. `ended` tells when partitions are to be
 * given back; it goes on beating then, so that handlers can end and commit.
 */
export class Heartbeat {
  readonly ended: Promise<MembershipEnd>;
  readonly #coordinator: Coordinator;
  readonly #membership: Membership;
  readonly #times: GroupTimes;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #end: (how: MembershipEnd) => void;

  /** `check`: asked after each beat whether partitions have to be dealt out anew. */
  constructor(
    coordinator: Coordinator,
    membership: Membership,
    times: GroupTimes,
    on: { readonly mustRebalance: () => Promise<boolean>; readonly onFailure: (error: unknown) => void },
  ) {
    this.#coordinator = coordinator;
    this.#membership = membership;
    this.#times = times;
    const { promise, resolve } = Promise.withResolvers<MembershipEnd>();
    this.ended = promise;
    this.#end = resolve;
    this.#running = this.#run(on);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Never rejects. */
  async #run(on: {
    readonly mustRebalance: () => Promise<boolean>;
    readonly onFailure: (error: unknown) => void;
  }): Promise<void> {
    const { signal } = this.#stopping;
    const { heartbeatMs, sessionTimeoutMs } = this.#times;
    let heardAt = performance.now();
    let failures = 0;
    for (;;) {
      await pause(heartbeatMs, signal);
      if (signal.aborted) return;
      try {
        if (!(await this.#beat())) return;
        heardAt = performance.now();
        failures = 0;
        if (await on.mustRebalance()) this.#end('rebalance');
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        failures += 1;
        // The first one may be a coordinator that has moved; an outage is told once.
        if (failures === 2) on.onFailure(error);
        if (performance.now() - heardAt > sessionTimeoutMs) {
          this.#end('lost');
          return;
        }
      }
    }
  }

  /** False when the membership is over. */
  async #beat(): Promise<boolean> {
    const deadline = new Deadline(ANSWER_MS, this.#stopping.signal);
    const { errorCode } = await this.#coordinator.ask(
      heartbeat(this.#membership),
      deadline,
      (answer) => answer.errorCode,
    );
    if (LOST.includes(errorCode)) {
      this.#end('lost');
      return false;
    }
    if (errorCode === CODES.rebalanceInProgress) this.#end('rebalance');
    else check(errorCode, `group ${this.#membership.groupId}`);
    return true;
  }
}
