import type { NewRecord } from '../../ports/event-log.ts';
import type { Cluster } from './cluster.ts';
import { pause } from '../pause.ts';
import { Deadline } from './deadline.ts';
import { away, closed, isRetriable, KafkaFailure, late } from './failure.ts';
import type { TopicMetadata } from './metadata-codec.ts';
import { packRecords } from './pending-append.ts';
import type { PendingAppend } from './pending-append.ts';
import { fillRound, KeylessTurns, splitByAppend } from './produce-round.ts';
import type { RoundBatch, RoundLimits } from './produce-round.ts';
import { ProduceSender } from './produce-sender.ts';
import type { ProduceCluster, ProduceDirectory, SentBatch } from './produce-sender.ts';
import { ProducerIdentity } from './producer-identity.ts';
import type { TopicDirectory } from './topic-directory.ts';

const LIMITS: RoundLimits = { maxBatchBytes: 900_000, maxBatchRecords: 20_000, maxBytes: 8 * 1024 * 1024 };
/** What may wait to be sent. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const MAX_WAITING_RECORDS = 200_000;
const PAUSE_MS = 100;

/**
 * Appends records: one round of batches is in flight, and what is asked meanwhile gathers for the next. So an idle
 * log answers at once, and a busy one in large batches, without a timer. One round at a time also is what keeps the
 * order over retries and lets the brokers recognise a batch that is sent again.
 */
export class Producer {
  readonly #cluster: ProduceCluster;
  readonly #directory: Pick<TopicDirectory, 'find'>;
  readonly #sender: ProduceSender;
  readonly #timeoutMs: number;
  readonly #turns = new KeylessTurns();
  readonly #never = new AbortController();
  #queue: PendingAppend[] = [];
  #waitingBytes = 0;
  #waitingRecords = 0;
  #running: Promise<void> | undefined;
  #closing = false;
  #lastFailure: KafkaFailure | undefined;

  /** `timeoutMs`: how long an append may take. */
  constructor(
    cluster: ProduceCluster & Pick<Cluster, 'askAny'>,
    directory: ProduceDirectory & Pick<TopicDirectory, 'find'>,
    timeoutMs: number,
  ) {
    this.#cluster = cluster;
    this.#directory = directory;
    this.#sender = new ProduceSender(cluster, directory, new ProducerIdentity(cluster));
    this.#timeoutMs = timeoutMs;
  }

  /** Resolves when all records are durable; rejects with a failure. `topicOf`: the name of a topic in Kafka. */
  async append(records: readonly NewRecord[], topicOf: (topic: string) => string): Promise<void> {
    if (this.#closing) throw closed();
    const append = packRecords(records, topicOf);
    if (this.#waitingRecords > 0) this.#checkRoom(append);
    this.#queue.push(append);
    this.#waitingBytes += append.bytes;
    this.#waitingRecords += append.records.length;
    const timer = setTimeout(() => append.fail(this.#lateness()), this.#timeoutMs);
    this.#running ??= this.#run();
    try {
      await append.done;
    } finally {
      clearTimeout(timer);
      this.#waitingBytes -= append.bytes;
      this.#waitingRecords -= append.records.length;
    }
  }

  /** Sends no more; resolves when what is under way has been answered, or given up. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const append of this.#queue) append.abandon();
    await this.#running;
  }

  #checkRoom({ bytes, records }: PendingAppend): void {
    const full =
      this.#waitingBytes + bytes > MAX_WAITING_BYTES ||
      this.#waitingRecords + records.length > MAX_WAITING_RECORDS;
    if (full) throw away(`${this.#waitingRecords} records wait already: the brokers do not keep up`);
  }

  #lateness(): KafkaFailure {
    const why = this.#lastFailure === undefined ? '' : `: ${this.#lastFailure.message}`;
    return late(`not durable within ${this.#timeoutMs} ms${why}`);
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    // What is asked in the same turn of the event loop goes into the first round.
    await Promise.resolve();
    for (;;) {
      this.#queue = this.#queue.filter((append) => !append.isSettled && append.next < append.records.length);
      if (this.#queue.length === 0) break;
      const deadline = new Deadline(this.#timeoutMs, this.#never.signal);
      const topics = await this.#topics(deadline);
      const batches = topics === undefined ? [] : fillRound(this.#queue, topics, this.#turns, LIMITS);
      if (batches.length > 0) await this.#round(batches, deadline);
    }
    this.#running = undefined;
  }

  /** The topics of the appends that come next; undefined when one cannot be had now. Fails appends to unknown ones. */
  async #topics(deadline: Deadline): Promise<ReadonlyMap<string, TopicMetadata> | undefined> {
    const topics = new Map<string, TopicMetadata>();
    let records = 0;
    for (const append of this.#queue) {
      for (const name of append.topics) {
        if (append.isSettled || topics.has(name)) continue;
        const found = await this.#topic(name, append, deadline);
        if (found === 'later') return undefined;
        if (found !== 'never') topics.set(name, found);
      }
      records += append.records.length;
      if (records >= LIMITS.maxBatchRecords) break;
    }
    return topics;
  }

  /** The topic; `never`: the append has been failed; `later`: it cannot be told now. */
  async #topic(
    name: string,
    append: PendingAppend,
    deadline: Deadline,
  ): Promise<TopicMetadata | 'never' | 'later'> {
    try {
      return await this.#directory.find(name, deadline);
    } catch (error) {
      const failure = error instanceof KafkaFailure ? error : away(String(error));
      this.#lastFailure = failure;
      if (isRetriable(failure) && !this.#cluster.isKnownAway() && !this.#closing) {
        await pause(PAUSE_MS, this.#never.signal);
        return 'later';
      }
      append.fail(failure);
      return 'never';
    }
  }

  async #round(batches: readonly RoundBatch[], deadline: Deadline): Promise<void> {
    const appends = new Set(batches.flatMap(({ shares }) => shares.map(({ append }) => append)));
    const isOver = (): boolean => this.#closing || [...appends].every(({ isSettled }) => isSettled);
    const sent = await this.#sender.send(batches, deadline, isOver);
    const again = this.#settle(sent);
    for (const batch of again) this.#settle(await this.#sender.send([batch], deadline, isOver));
  }

  /** Answers the appends. Returns what is to be sent once more, each append alone: one of them made it invalid. */
  #settle(sent: readonly SentBatch[]): readonly RoundBatch[] {
    for (const { batch, failure, uncertain } of sent) {
      for (const { append, count } of batch.shares) {
        if (failure === undefined) append.acknowledge(count);
        else if (uncertain) append.doubt();
      }
    }
    this.#lastFailure = sent.find(({ failure }) => failure !== undefined)?.failure;
    return sent.flatMap(({ batch, failure }) => {
      if (failure === undefined) return [];
      if (failure.kind === 'invalid' && batch.shares.length > 1) return splitByAppend(batch);
      for (const { append } of batch.shares) append.fail(failure);
      return [];
    });
  }
}
