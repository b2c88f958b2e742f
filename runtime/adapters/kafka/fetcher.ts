import type { Cluster } from './cluster.ts';
import { pause } from '../pause.ts';
import { Deadline } from './deadline.ts';
import { CODES } from './error-codes.ts';
import { away, check, failureOf, invalid, KafkaFailure } from './failure.ts';
import type { FetchedPartition } from './fetch-codec.ts';
import { PartitionFeed } from './partition-feed.ts';
import { decodeBatches } from './record-batch.ts';
import { fetch } from './requests.ts';
import type { TopicDirectory } from './topic-directory.ts';

/** How a subscription fetches. */
export interface FetcherOptions {
  readonly lane: string;
  /** How long records gather at the broker between two fetches under load, in ms. */
  readonly gatherMs: number;
  /** Records that the subscriber takes at a time; a feed with twice as many needs no more. */
  readonly maxRecords: number;
  readonly onFailure: (error: unknown) => void;
}

/** How long the broker waits for a record where there is none, in ms; a partition that is added waits as long. */
const IDLE_WAIT_MS = 200;
/** The same while a partition is left out because its feed is full. */
const BUSY_WAIT_MS = 20;
const ANSWER_MS = 5_000;
const MAX_PARTITION_BYTES = 1024 * 1024;
const MAX_BYTES = 16 * 1024 * 1024;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/** Fetches the partitions of one subscription: one request at a time to each broker that leads some of them. */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #directory: TopicDirectory;
  readonly #options: FetcherOptions;
  readonly #closing = new AbortController();
  readonly #feeds = new Set<PartitionFeed>();
  readonly #loops = new Map<number, Promise<void>>();
  #wake = Promise.withResolvers<undefined>();
  /** An outage is told once. */
  #told = false;

  constructor(cluster: Cluster, directory: TopicDirectory, options: FetcherOptions) {
    this.#cluster = cluster;
    this.#directory = directory;
    this.#options = options;
  }

  /** Begins to fetch a partition. */
  open(topic: string, partition: number, from: bigint): PartitionFeed {
    const maxBuffered = 2 * this.#options.maxRecords;
    const feed = new PartitionFeed({ topic, partition, from }, maxBuffered, () => this.#wakeUp());
    this.#feeds.add(feed);
    void this.#place(feed);
    return feed;
  }

  closeFeed(feed: PartitionFeed): void {
    feed.close();
    this.#feeds.delete(feed);
    this.#wakeUp();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const feed of this.#feeds) feed.close();
    this.#feeds.clear();
    this.#wakeUp();
    await Promise.all(this.#loops.values());
    this.#cluster.dropLane(this.#options.lane);
  }

  #wakeUp(): void {
    this.#wake.resolve(undefined);
    this.#wake = Promise.withResolvers<undefined>();
  }

  /** Finds the feed's leader, for as long as it takes. Never rejects. */
  async #place(feed: PartitionFeed): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !feed.isClosed; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      try {
        const deadline = new Deadline(ANSWER_MS, this.#closing.signal);
        const { leader } = await this.#directory.partition(feed.topic, feed.partition, deadline);
        feed.leader = leader;
        this.#ensureLoop(leader);
        return;
      } catch (error) {
        if (error instanceof KafkaFailure && !error.retriable && error.kind !== 'timeout') {
          feed.fail(error);
          return;
        }
        this.#tell(error);
        await pause(pauseMs, this.#closing.signal);
      }
    }
  }

  #ensureLoop(leader: number): void {
    this.#wakeUp();
    if (this.#loops.has(leader) || this.#closing.signal.aborted) return;
    const loop = this.#run(leader).finally(() => {
      this.#loops.delete(leader);
      // One that was placed here while the loop ended.
      if (this.#feedsOf(leader).length > 0) this.#ensureLoop(leader);
    });
    this.#loops.set(leader, loop);
  }

  #feedsOf(leader: number): readonly PartitionFeed[] {
    return [...this.#feeds].filter((feed) => feed.leader === leader);
  }

  /** Never rejects. */
  async #run(leader: number): Promise<void> {
    let failures = 0;
    while (!this.#isClosing()) {
      const feeds = this.#feedsOf(leader);
      if (feeds.length === 0) return;
      const wanting = feeds.filter((feed) => feed.isWanting);
      if (wanting.length === 0) {
        await this.#wake.promise;
        continue;
      }
      try {
        await this.#fetch(leader, wanting, wanting.length < feeds.length);
        failures = 0;
        this.#told = false;
      } catch (error) {
        if (this.#isClosing()) return;
        this.#tell(error);
        await pause(Math.min(FIRST_PAUSE_MS * 2 ** failures, MAX_PAUSE_MS), this.#closing.signal);
        failures += 1;
        // Perhaps others lead these partitions now.
        for (const feed of wanting) this.#replace(feed);
      }
    }
  }

  async #fetch(leader: number, feeds: readonly PartitionFeed[], isPartial: boolean): Promise<void> {
    const asked = performance.now();
    const maxWaitMs = isPartial ? BUSY_WAIT_MS : IDLE_WAIT_MS;
    const wanted = feeds.map((feed) => {
      const { topic, partition, position } = feed;
      return { feed, topic, partition, offset: position, maxBytes: MAX_PARTITION_BYTES };
    });
    const deadline = new Deadline(maxWaitMs + ANSWER_MS, this.#closing.signal);
    const request = fetch(wanted, { maxWaitMs, maxBytes: MAX_BYTES });
    const answer = await this.#cluster.ask(leader, this.#options.lane, request, deadline);
    check(answer.errorCode, 'fetching');
    let records = 0;
    let isFull = false;
    for (const fetched of answer.partitions) {
      const place = wanted.find(
        (each) => each.topic === fetched.topic && each.partition === fetched.partition,
      );
      if (place === undefined) continue;
      const count = this.#take(place.feed, place.offset, fetched);
      records += count;
      isFull ||= count >= this.#options.maxRecords || fetched.batches.length >= MAX_PARTITION_BYTES / 2;
    }
    if (records === 0) return;
    this.#cluster.health.sent('fetch', records);
    if (!isFull) await pause(this.#options.gatherMs - (performance.now() - asked), this.#closing.signal);
  }

  /** Returns how many records there were. */
  #take(feed: PartitionFeed, offset: bigint, fetched: FetchedPartition): number {
    const about = `partition ${feed.partition} of ${feed.topic}`;
    if (fetched.errorCode === CODES.offsetOutOfRange) {
      feed.fail(outOfRange(about, offset));
      return 0;
    }
    if (fetched.errorCode !== 0) {
      this.#refused(feed, failureOf(fetched.errorCode, about));
      return 0;
    }
    try {
      const { records, nextOffset } = decodeBatches(fetched.batches, feed.partition, offset);
      feed.add(offset, records, nextOffset);
      return records.length;
    } catch (error) {
      feed.fail(error instanceof KafkaFailure ? error : away(`${about}: records that cannot be read`));
      return 0;
    }
  }

  #refused(feed: PartitionFeed, failure: KafkaFailure): void {
    if (failure.retriable) this.#replace(feed);
    else feed.fail(failure);
  }

  #replace(feed: PartitionFeed): void {
    if (feed.isClosed || feed.leader === undefined) return;
    feed.leader = undefined;
    this.#directory.markStale(feed.topic);
    void this.#place(feed);
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  #tell(error: unknown): void {
    if (this.#told || this.#isClosing()) return;
    this.#told = true;
    this.#options.onFailure(error);
  }
}

/** Nothing is skipped: whoever mends it commits another offset. */
export function outOfRange(about: string, offset: bigint): KafkaFailure {
  return invalid(
    `${about} has no offset ${offset.toString()}: its records are gone, or were never there; nothing is skipped, so commit an offset that there is (kafka-consumer-groups.sh --reset-offsets)`,
  );
}
