import type {
  EventLog,
  LogRecord,
  NewRecord,
  PartitionRange,
  ReadOptions,
  SubscribeOptions,
  Subscription,
  TopicInfo,
  TopicSpec,
} from '../../ports/event-log.ts';
import type { ServiceObserver } from '../../ports/service-observer.ts';
import { checkMaxRecords, checkOffset, checkRecords, checkTopic } from './checks.ts';
import { Cluster } from './cluster.ts';
import { Coordinator } from './coordinator.ts';
import { Deadline, retrying } from './deadline.ts';
import { closed, refused, toPortError } from './failure.ts';
import type { SaslOptions } from './login.ts';
import { rangesOf, readFrom } from './offsets.ts';
import { Producer } from './producer.ts';
import { KafkaSubscription } from './subscription.ts';
import type { SubscriptionTimes } from './subscription.ts';
import { TopicDirectory } from './topic-directory.ts';
import { ensureTopics } from './topics.ts';

/** Where Kafka is, how to connect, and how durable topics must be. */
export interface KafkaOptions {
  /** As `host:port`. */
  readonly brokers: readonly string[];
  /** What the names of all topics and groups begin with. */
  readonly topicPrefix: string;
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  /** `ca`: PEM; undefined trusts the well-known authorities. */
  readonly tls: { readonly ca?: string } | undefined;
  readonly sasl: SaslOptions | undefined;
  readonly clientId: string;
  readonly observer: ServiceObserver;
}

/** All in ms; tests shorten some. */
export interface KafkaTimes extends SubscriptionTimes {
  /** For each step of connecting. */
  readonly connectMs: number;
  readonly ensureMs: number;
}

const TIMES: KafkaTimes = {
  connectMs: 2_000,
  callMs: 3_500,
  ensureMs: 15_000,
  heartbeatMs: 1_000,
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 30_000,
  retryPauseMs: 200,
  maxRetryPauseMs: 5_000,
  lingerMs: 5,
};

/** The event log in Kafka. It connects at the first call, and again whenever it has to. */
export class KafkaEventLog implements EventLog {
  readonly #options: KafkaOptions;
  readonly #times: KafkaTimes;
  readonly #cluster: Cluster;
  readonly #directory: TopicDirectory;
  readonly #producer: Producer;
  readonly #subscriptions = new Set<Subscription>();
  readonly #closing = new AbortController();
  /** Topics whose records need keys, as far as they were ensured here. */
  readonly #compacted = new Set<string>();
  #closed: Promise<void> | undefined;

  constructor(options: KafkaOptions, times: Partial<KafkaTimes> = {}) {
    this.#options = options;
    this.#times = { ...TIMES, ...times };
    const { brokers, tls, sasl, clientId, observer } = options;
    const connectTimeoutMs = this.#times.connectMs;
    this.#cluster = new Cluster({ brokers, tls, sasl, clientId, observer, connectTimeoutMs });
    this.#directory = new TopicDirectory(this.#cluster);
    this.#producer = new Producer(this.#cluster, this.#directory, this.#times.callMs);
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<readonly TopicInfo[]> {
    return this.#call('ensureTopics', async () => {
      for (const spec of specs) checkTopic(spec, this.#name(spec.name));
      const { replicationFactor, minInsyncReplicas, brokers } = this.#options;
      if (minInsyncReplicas > replicationFactor) {
        throw refused(
          `spec.kafka.minInsyncReplicas is ${minInsyncReplicas}, and spec.kafka.replicationFactor only ${replicationFactor}: nothing could be appended`,
        );
      }
      const wanted = specs.map((spec) => ({ spec, name: this.#name(spec.name) }));
      const place = { ...this.#place, replicationFactor, minInsyncReplicas, broker: brokers[0] ?? '' };
      const topics = await ensureTopics(place, wanted, this.#deadline(this.#times.ensureMs));
      for (const { name, compacted } of specs) if (compacted) this.#compacted.add(name);
      return topics;
    });
  }

  async append(records: readonly NewRecord[]): Promise<void> {
    return this.#call('append', async () => {
      if (records.length === 0) return;
      checkRecords(records, (topic) => this.#compacted.has(topic));
      await this.#producer.append(records, (topic) => this.#name(topic));
    });
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    return this.#call('subscribe', async () => {
      if (options.maxRecords !== undefined) checkMaxRecords(options.maxRecords);
      const topics = new Map(options.topics.map((topic) => [topic, this.#name(topic)]));
      await this.#patiently(async (deadline) => {
        for (const name of topics.values()) await this.#directory.find(name, deadline);
      });
      // It may have been closed meanwhile.
      if (this.#closing.signal.aborted) throw closed();
      const groupId = this.#name(options.group);
      const place = { ...this.#place, groupId, topics, times: this.#times };
      const subscription = new KafkaSubscription(place, options);
      this.#subscriptions.add(subscription);
      return {
        close: async () => {
          await subscription.close();
          this.#subscriptions.delete(subscription);
        },
      };
    });
  }

  async read({ topic, partition, from, maxRecords }: ReadOptions): Promise<readonly LogRecord[]> {
    return this.#call('read', async () => {
      checkMaxRecords(maxRecords);
      checkOffset(from);
      const wanted = { topic: this.#name(topic), partition, from, maxRecords };
      return this.#patiently((deadline) => readFrom(this.#place, wanted, deadline));
    });
  }

  async ranges(topic: string): Promise<readonly PartitionRange[]> {
    return this.#call('ranges', () =>
      this.#patiently((deadline) => rangesOf(this.#place, this.#name(topic), deadline)),
    );
  }

  async committed(group: string, topic: string): Promise<ReadonlyMap<number, bigint>> {
    return this.#call('committed', () =>
      this.#patiently(async (deadline) => {
        const { partitions } = await this.#directory.find(this.#name(topic), deadline);
        const numbers = partitions.map(({ partition }) => partition);
        const coordinator = new Coordinator(this.#cluster, this.#name(group), 'main');
        return coordinator.committed(this.#name(topic), numbers, deadline);
      }),
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await this.#producer.close();
    await this.#cluster.close();
  }

  get #place(): { readonly cluster: Cluster; readonly directory: TopicDirectory } {
    return { cluster: this.#cluster, directory: this.#directory };
  }

  #name(name: string): string {
    return `${this.#options.topicPrefix}${name}`;
  }

  #deadline(ms: number): Deadline {
    return new Deadline(ms, this.#closing.signal);
  }

  #patiently<T>(work: (deadline: Deadline) => Promise<T>): Promise<T> {
    const deadline = this.#deadline(this.#times.callMs);
    return retrying(deadline, () => work(deadline), this.#cluster.isKnownAway);
  }

  /** Rejects with nothing but a PortError. */
  async #call<T>(method: string, work: () => Promise<T>): Promise<T> {
    const call = `event-log.${method}`;
    try {
      if (this.#closing.signal.aborted) throw closed();
      return await work();
    } catch (error) {
      const told = toPortError(call, error);
      if (told.kind === 'refused') this.#cluster.health.down(told);
      throw told;
    }
  }
}
