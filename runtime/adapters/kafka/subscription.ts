import type { SubscribeOptions, Subscription } from '../../ports/event-log.ts';
import type { Cluster } from './cluster.ts';
import { Coordinator } from './coordinator.ts';
import { Deadline, retrying } from './deadline.ts';
import { invalid, KafkaFailure, toPortError } from './failure.ts';
import { Fetcher } from './fetcher.ts';
import { GroupMember } from './group-member.ts';
import type { GroupTimes } from './heartbeat.ts';
import { startOf } from './offsets.ts';
import { DEFAULT_MAX_RECORDS, PartitionDelivery } from './partition-delivery.ts';
import type { DeliverySource, DeliveryTimes } from './partition-delivery.ts';
import type { Assignment } from './requests.ts';
import type { TopicDirectory } from './topic-directory.ts';

/** Times of a subscription, in ms. */
export interface SubscriptionTimes extends GroupTimes, DeliveryTimes {
  /** How long a call to the brokers may take. */
  readonly callMs: number;
  /** How long records gather between two fetches under load where the subscriber does not say. */
  readonly lingerMs: number;
}

/** What a subscription works on. */
export interface SubscriptionPlace {
  readonly cluster: Cluster;
  readonly directory: TopicDirectory;
  /** The group's name in Kafka. */
  readonly groupId: string;
  /** Name in Kafka, by the name that the subscriber uses. */
  readonly topics: ReadonlyMap<string, string>;
  readonly times: SubscriptionTimes;
}

let subscriptions = 0;

/** A running group member with connections of its own; whatever happens, it goes on until it is closed. */
export class KafkaSubscription implements Subscription {
  readonly #place: SubscriptionPlace;
  readonly #options: SubscribeOptions;
  readonly #lane: string;
  readonly #fetcher: Fetcher;
  readonly #coordinator: Coordinator;
  readonly #member: GroupMember;
  #deliveries: readonly PartitionDelivery[] = [];
  #closed: Promise<void> | undefined;

  constructor(place: SubscriptionPlace, options: SubscribeOptions) {
    const { cluster, directory, groupId, topics, times } = place;
    this.#place = place;
    this.#options = options;
    subscriptions += 1;
    this.#lane = `group-${subscriptions}`;
    this.#fetcher = new Fetcher(cluster, directory, {
      lane: `fetch-${subscriptions}`,
      gatherMs: options.gatherMs ?? times.lingerMs,
      maxRecords: options.maxRecords ?? DEFAULT_MAX_RECORDS,
      onFailure: (error) => this.#report(error),
    });
    this.#coordinator = new Coordinator(cluster, groupId, this.#lane);
    const listener = {
      assigned: (assignment: Assignment) => this.#assigned(assignment),
      revoked: () => this.#revoked(),
      failed: (error: unknown) => this.#report(error),
    };
    const member = { topics: [...topics.values()], times };
    this.#member = new GroupMember(this.#coordinator, directory, member, listener);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#member.close();
    await this.#fetcher.close();
    this.#place.cluster.dropLane(this.#lane);
  }

  #assigned(assignment: Assignment): void {
    this.#deliveries = [...this.#place.topics].flatMap(([topic, name]) =>
      (assignment[name] ?? []).map(
        (partition) =>
          new PartitionDelivery(this.#source(topic, name, partition), this.#options, this.#place.times),
      ),
    );
  }

  async #revoked(): Promise<void> {
    await Promise.all(this.#deliveries.map((delivery) => delivery.stop()));
    this.#deliveries = [];
  }

  #source(topic: string, name: string, partition: number): DeliverySource {
    const { times, cluster, directory } = this.#place;
    return {
      topic,
      partition,
      committedOrStart: (signal) => {
        const deadline = new Deadline(times.callMs, signal);
        return retrying(deadline, async () => {
          const committed = await this.#coordinator.committed(name, [partition], deadline);
          return committed.get(partition) ?? startOf({ cluster, directory }, name, partition, deadline);
        });
      },
      open: (from) => this.#fetcher.open(name, partition, from),
      closeFeed: (feed) => this.#fetcher.closeFeed(feed),
      commit: async (offset) => {
        const { membership } = this.#member;
        if (membership === undefined) {
          throw invalid(`partition ${partition} of ${topic} no longer belongs to this consumer`);
        }
        const deadline = new Deadline(times.callMs, new AbortController().signal);
        await this.#coordinator.commit(membership, { topic: name, partition, offset }, deadline);
      },
    };
  }

  #report(error: unknown): void {
    if (error instanceof KafkaFailure && error.kind === 'closed') return;
    try {
      this.#options.onError(toPortError('event-log.subscribe', error));
    } catch {
      // A listener's fault must not end the subscription.
    }
  }
}
