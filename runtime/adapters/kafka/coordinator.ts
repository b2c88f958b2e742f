import type { Cluster } from './cluster.ts';
import type { Deadline } from './deadline.ts';
import { retrying } from './deadline.ts';
import { CODES } from './error-codes.ts';
import { check, failureOf, hasCode, invalid } from './failure.ts';
import { findCoordinator, offsetCommit, offsetFetch } from './requests.ts';
import type { Membership, RequestFor } from './requests.ts';

const FIND_MS = 1_500;
const NOT_HERE: readonly number[] = [CODES.coordinatorNotAvailable, CODES.notCoordinator];

/** The broker that a group's members and offsets are kept by; found when needed, and again when it has moved. */
export class Coordinator {
  readonly groupId: string;
  readonly #cluster: Cluster;
  readonly #lane: string;
  #node: number | undefined;

  constructor(cluster: Cluster, groupId: string, lane: string) {
    this.#cluster = cluster;
    this.groupId = groupId;
    this.#lane = lane;
  }

  /** Asks the coordinator; `codeOf` finds the error code in the answer. Codes that say that it moved are failures. */
  async ask<T>(request: RequestFor<T>, deadline: Deadline, codeOf: (answer: T) => number): Promise<T> {
    const node = await this.#find(deadline);
    let answer: T;
    try {
      answer = await this.#cluster.ask(node, this.#lane, request, deadline);
    } catch (error) {
      this.#node = undefined;
      throw error;
    }
    const code = codeOf(answer);
    if (NOT_HERE.includes(code)) this.#node = undefined;
    if (NOT_HERE.includes(code) || code === CODES.coordinatorLoadInProgress)
      throw failureOf(code, this.#about);
    return answer;
  }

  /** Ends the connection to it, with what waits for an answer. */
  disconnect(): void {
    this.#cluster.closeLane(this.#lane);
  }

  /** Committed offsets by partition; those without a commit are absent. */
  async committed(
    topic: string,
    partitions: readonly number[],
    deadline: Deadline,
  ): Promise<ReadonlyMap<number, bigint>> {
    const answer = await this.ask(
      offsetFetch(this.groupId, topic, partitions),
      deadline,
      ({ errorCode }) => errorCode,
    );
    check(answer.errorCode, this.#about);
    const offsets = answer.responses.flatMap((each) => each.partitions);
    for (const { errorCode } of offsets) check(errorCode, `${this.#about}, topic ${topic}`);
    return new Map(
      offsets
        .map(({ partition, offset }) => [partition, BigInt(offset)] as const)
        .filter(([, offset]) => offset >= 0n),
    );
  }

  /** Commits for a member. Rejects with `invalid` when the partition is not the member's any more. */
  async commit(
    membership: Membership,
    at: { readonly topic: string; readonly partition: number; readonly offset: bigint },
    deadline: Deadline,
  ): Promise<void> {
    const lost = [
      CODES.illegalGeneration,
      CODES.unknownMemberId,
      CODES.rebalanceInProgress,
      CODES.fencedInstanceId,
    ];
    const attempt = async (): Promise<void> => {
      const codeOf = (answer: {
        responses: readonly { partitions: readonly { errorCode: number }[] }[];
      }): number => answer.responses[0]?.partitions[0]?.errorCode ?? -1;
      const answer = await this.ask(offsetCommit(membership, at), deadline, codeOf);
      try {
        check(codeOf(answer), `${this.#about}, partition ${at.partition} of ${at.topic}`);
      } catch (error) {
        if (!hasCode(error, ...lost)) throw error;
        throw invalid(`partition ${at.partition} of ${at.topic} no longer belongs to this consumer`);
      }
    };
    await retrying(deadline, attempt);
  }

  get #about(): string {
    return `group ${this.groupId}`;
  }

  async #find(deadline: Deadline): Promise<number> {
    if (this.#node !== undefined) return this.#node;
    const answer = await this.#cluster.askAny('main', findCoordinator(this.groupId), deadline, FIND_MS);
    check(answer.errorCode, this.#about);
    this.#cluster.learnOne(answer.coordinator);
    this.#node = answer.coordinator.nodeId;
    return this.#node;
  }
}
