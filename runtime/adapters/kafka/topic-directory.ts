import type { Cluster } from './cluster.ts';
import type { Deadline } from './deadline.ts';
import { pause } from '../pause.ts';
import { CODES } from './error-codes.ts';
import { away, failureOf, invalid } from './failure.ts';
import type { PartitionMetadata, TopicMetadata } from './metadata-codec.ts';
import { metadata } from './requests.ts';

/** What is known of a topic is asked again after this time, in ms: partitions may have been added. */
const MAX_AGE_MS = 60_000;
/** How long one broker may take to answer, in ms, before another is asked. */
const ANSWER_MS = 1_200;
/** A topic that was created just now is not known to every broker at once. */
const DOUBTS_MS = [80, 250];

interface Known {
  readonly topic: TopicMetadata;
  readonly at: number;
}

/** Which topics there are, and who leads their partitions. */
export class TopicDirectory {
  readonly #cluster: Cluster;
  readonly #known = new Map<string, Known>();
  /** Names of topics that existed at some time: one of them that is not found now is away, and not a mistake. */
  readonly #seen = new Set<string>();
  readonly #stale = new Set<string>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The topic, as known; asks where nothing is known, or it is old. Rejects with `invalid` for one that is not there. */
  async find(name: string, deadline: Deadline): Promise<TopicMetadata> {
    const known = this.#known.get(name);
    if (known !== undefined && !this.#stale.has(name) && performance.now() - known.at < MAX_AGE_MS) {
      return known.topic;
    }
    for (const doubtMs of DOUBTS_MS) {
      const topic = await this.ask(name, deadline);
      if (topic !== undefined) return topic;
      await pause(doubtMs, deadline.signal);
    }
    const topic = await this.ask(name, deadline);
    if (topic !== undefined) return topic;
    if (this.#seen.has(name)) throw away(`topic ${name} is not there any more`);
    throw invalid(`there is no topic ${name}`);
  }

  /** The topic as the cluster sees it now; undefined where it sees none. */
  async ask(name: string, deadline: Deadline): Promise<TopicMetadata | undefined> {
    const [topic] = await this.askAll([name], deadline);
    return topic;
  }

  /** Those of the topics that there are. */
  async askAll(names: readonly string[], deadline: Deadline): Promise<readonly TopicMetadata[]> {
    const answer = await this.#cluster.askAny('main', metadata(names), deadline, ANSWER_MS);
    this.#cluster.learn(answer.brokers);
    const found = answer.topics.filter(({ errorCode }) => errorCode !== CODES.unknownTopicOrPartition);
    for (const { errorCode, name } of found) {
      if (errorCode !== 0) throw failureOf(errorCode, `topic ${name}`);
    }
    const at = performance.now();
    for (const topic of found) {
      this.#known.set(topic.name, { topic, at });
      this.#seen.add(topic.name);
      this.#stale.delete(topic.name);
    }
    return found;
  }

  /** One partition. Rejects with `invalid` where the topic has none of this number. */
  async partition(name: string, partition: number, deadline: Deadline): Promise<PartitionMetadata> {
    const { partitions } = await this.find(name, deadline);
    const found = partitions[partition];
    if (found === undefined)
      throw invalid(`topic ${name} has ${partitions.length} partitions, and no ${partition}`);
    if (found.leader < 0 || !this.#cluster.knows(found.leader)) {
      this.markStale(name);
      throw away(`partition ${partition} of ${name} has no leader now`);
    }
    return found;
  }

  /** What is known of the topic has proved to be wrong: it is asked again at the next use. */
  markStale(name: string): void {
    this.#stale.add(name);
  }
}
