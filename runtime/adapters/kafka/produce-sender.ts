import type { Cluster } from './cluster.ts';
import type { Deadline } from './deadline.ts';
import { pause } from '../pause.ts';
import { CODES } from './error-codes.ts';
import { away, failureOf, isRetriable, KafkaFailure, toPortError } from './failure.ts';
import type { PartitionBatch } from './produce-codec.ts';
import type { RoundBatch } from './produce-round.ts';
import type { ProducerIdentity } from './producer-identity.ts';
import { encodeBatch } from './record-batch.ts';
import type { BatchIdentity } from './record-batch.ts';
import { produce } from './requests.ts';
import type { TopicDirectory } from './topic-directory.ts';

/** What sending needs of the cluster. */
export type ProduceCluster = Pick<Cluster, 'ask' | 'health' | 'isKnownAway'>;
/** What sending needs to know of topics. */
export type ProduceDirectory = Pick<TopicDirectory, 'partition' | 'markStale'>;

/** How long the replicas may take, in ms. */
const REPLICATION_MS = 3_000;
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 300;

/** What became of a batch: durable, or not. */
export interface SentBatch {
  readonly batch: RoundBatch;
  readonly failure: KafkaFailure | undefined;
  /** It may be in the log although it failed. */
  readonly uncertain: boolean;
}

interface Sending {
  readonly batch: RoundBatch;
  identity: BatchIdentity | undefined;
  bytes: Buffer;
  failure: KafkaFailure | undefined;
  uncertain: boolean;
  outcome: 'pending' | 'durable' | 'failed';
}

const IDENTITY_LOST: readonly number[] = [
  CODES.outOfOrderSequence,
  CODES.invalidProducerEpoch,
  CODES.unknownProducerId,
];

/** Sends batches, each until the broker has said yes or no, or time is over. */
export class ProduceSender {
  readonly #cluster: ProduceCluster;
  readonly #directory: ProduceDirectory;
  readonly #identity: ProducerIdentity;

  constructor(cluster: ProduceCluster, directory: ProduceDirectory, identity: ProducerIdentity) {
    this.#cluster = cluster;
    this.#directory = directory;
    this.#identity = identity;
  }

  /** Never rejects. `isOver`: nobody waits for the outcome any more. */
  async send(
    batches: readonly RoundBatch[],
    deadline: Deadline,
    isOver: () => boolean,
  ): Promise<readonly SentBatch[]> {
    const all = batches.map((batch): Sending => {
      const bytes = Buffer.alloc(0);
      return { batch, identity: undefined, bytes, failure: undefined, uncertain: false, outcome: 'pending' };
    });
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      const pending = all.filter(({ outcome }) => outcome === 'pending');
      await this.#attempt(pending, deadline);
      if (pending.every(({ outcome }) => outcome !== 'pending')) break;
      if (deadline.leftMs <= pauseMs || isOver() || this.#cluster.isKnownAway()) break;
      await pause(pauseMs, deadline.signal);
    }
    if (all.some(({ outcome }) => outcome !== 'durable')) this.#identity.abandon();
    return all.map(({ batch, failure, uncertain, outcome }) => {
      if (outcome === 'durable') return { batch, failure: undefined, uncertain: false };
      return { batch, failure: failure ?? away('it was not sent'), uncertain };
    });
  }

  async #attempt(pending: readonly Sending[], deadline: Deadline): Promise<void> {
    try {
      await this.#identity.ensure(deadline);
      const byLeader = await this.#byLeader(pending, deadline);
      for (const sending of pending) this.#encode(sending);
      await Promise.all(
        Array.from(byLeader, ([leader, ofLeader]) => this.#sendTo(leader, ofLeader, deadline)),
      );
    } catch (error) {
      // Nothing was sent: there is no identity, or no leader.
      for (const sending of pending) this.#note(sending, error);
    }
  }

  async #byLeader(pending: readonly Sending[], deadline: Deadline): Promise<Map<number, Sending[]>> {
    const leaders = new Map<number, Sending[]>();
    for (const sending of pending) {
      const { topic, partition } = sending.batch;
      const { leader } = await this.#directory.partition(topic, partition, deadline);
      leaders.set(leader, [...(leaders.get(leader) ?? []), sending]);
    }
    return leaders;
  }

  /** Once for each identity: a batch that is sent again is the same to the byte. */
  #encode(sending: Sending): void {
    if (sending.identity !== undefined) return;
    const { topic, partition, bodies } = sending.batch;
    sending.identity = this.#identity.take(`${topic} ${partition}`, bodies.length);
    sending.bytes = encodeBatch(bodies, Date.now(), sending.identity);
  }

  async #sendTo(leader: number, sendings: readonly Sending[], deadline: Deadline): Promise<void> {
    const batches = sendings.map(({ batch, bytes }): PartitionBatch => {
      const { topic, partition } = batch;
      return { topic, partition, bytes };
    });
    const records = sendings.reduce((sum, { batch }) => sum + batch.bodies.length, 0);
    try {
      this.#cluster.health.sent('produce', records);
      const outcomes = await this.#cluster.ask(leader, 'produce', produce(batches, REPLICATION_MS), deadline);
      for (const sending of sendings) {
        const { topic, partition } = sending.batch;
        const outcome = outcomes.find((each) => each.topic === topic && each.partition === partition);
        this.#judge(sending, outcome?.errorCode ?? -1);
      }
    } catch (error) {
      for (const sending of sendings) {
        sending.uncertain = true;
        this.#directory.markStale(sending.batch.topic);
        this.#note(sending, error);
      }
    }
  }

  #judge(sending: Sending, code: number): void {
    // A duplicate is this very batch: no other was ever given its sequence.
    if (code === 0 || code === CODES.duplicateSequence) {
      sending.outcome = 'durable';
      return;
    }
    const { topic, partition } = sending.batch;
    this.#directory.markStale(topic);
    if (IDENTITY_LOST.includes(code)) this.#renew(sending);
    // It is in the log of the leader, and may yet be lost.
    if (code === CODES.notEnoughReplicasAfterAppend || code === CODES.requestTimedOut)
      sending.uncertain = true;
    this.#note(sending, failureOf(code, `partition ${partition} of ${topic}`));
  }

  /**
   * The broker does not know this producer any more, or takes a batch to be missing before this one. One in flight,
   * that is none of ours; with a new identity it is sent once more, which at worst leaves it in the log twice.
   */
  #renew(sending: Sending): void {
    this.#identity.renew();
    sending.identity = undefined;
  }

  #note(sending: Sending, error: unknown): void {
    sending.failure = error instanceof KafkaFailure ? error : away(toPortError('produce', error).message);
    if (!isRetriable(sending.failure)) sending.outcome = 'failed';
  }
}
