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
import { PortError } from '../../ports/port-error.ts';
import type { EmbeddedDatabase } from './database.ts';
import { checkMaxRecords, checkRecord, checkTopic, offsetNumber } from './log-check.ts';
import { LogPurge } from './log-purge.ts';
import type { PurgeOptions } from './log-purge.ts';
import type { DeliveryTimes } from './partition-delivery.ts';
import { packAppend, unpackStored } from './record-pack.ts';
import { subscribeTo } from './log-subscription.ts';

/** Clock and times of an embedded event log; all of them have defaults. */
export type EmbeddedEventLogOptions = Partial<PurgeOptions & DeliveryTimes>;

const DEFAULTS: PurgeOptions & DeliveryTimes = {
  now: Date.now,
  tombstoneRetentionMs: 24 * 3_600_000,
  purgeIntervalMs: 600_000,
  retryPauseMs: 200,
  maxRetryPauseMs: 5_000,
  lingerMs: 10,
};

/** A topic or two may be made of many tables. */
const ENSURE_DEADLINE_MS = 60_000;

/**
 * The event log in the embedded database, which it does not own: closing it leaves that open. All logs on one
 * database share its consumer groups.
 */
export class EmbeddedEventLog implements EventLog {
  readonly #database: EmbeddedDatabase;
  readonly #options: PurgeOptions & DeliveryTimes;
  readonly #purge: LogPurge;
  readonly #subscriptions = new Set<Subscription>();
  #closed = false;

  constructor(database: EmbeddedDatabase, options: EmbeddedEventLogOptions = {}) {
    this.#database = database;
    this.#options = { ...DEFAULTS, ...options };
    this.#purge = new LogPurge(database, this.#options);
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<readonly TopicInfo[]> {
    const call = this.#call('ensureTopics');
    for (const spec of specs) checkTopic(call, spec);
    const load = { items: 1, bytes: 0, deadlineMs: ENSURE_DEADLINE_MS };
    const topics = await this.#database.write(call, { op: 'ensureTopics', specs }, load);
    return topics.map(({ name, generation, partitions }) => ({ name, generation, partitions }));
  }

  async append(records: readonly NewRecord[]): Promise<void> {
    const call = this.#call('append');
    if (records.length === 0) return;
    for (const record of records) checkRecord(call, record);
    const { topics, payload } = packAppend(records);
    const payloadBytes = payload.byteLength;
    const request = { op: 'append', topics, payloadBytes, at: this.#options.now() } as const;
    await this.#database.write(call, request, { items: records.length, bytes: payloadBytes, payload });
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const call = this.#call('subscribe');
    if (options.maxRecords !== undefined) checkMaxRecords(call, options.maxRecords);
    const existing = await this.#database.read(call, { op: 'topics' });
    const topics = options.topics.map((name) => {
      const topic = existing.find((each) => each.name === name);
      if (topic === undefined) throw new PortError('invalid', call, `there is no topic ${name}`);
      return topic;
    });
    // It may have been closed meanwhile.
    this.#call('subscribe');
    const subscription = subscribeTo(this.#database, topics, options, this.#options);
    this.#subscriptions.add(subscription);
    return {
      close: () => {
        this.#subscriptions.delete(subscription);
        return subscription.close();
      },
    };
  }

  async read({ topic, partition, from, maxRecords }: ReadOptions): Promise<readonly LogRecord[]> {
    const call = this.#call('read');
    checkMaxRecords(call, maxRecords);
    const request = { op: 'records', topic, partition, from: offsetNumber(call, from), maxRecords } as const;
    const { pack } = await this.#database.read(call, request);
    return unpackStored(partition, pack);
  }

  async ranges(topic: string): Promise<readonly PartitionRange[]> {
    const ranges = await this.#database.read(this.#call('ranges'), { op: 'ranges', topic });
    return ranges.map(({ partition, start, end }) => ({ partition, start: BigInt(start), end: BigInt(end) }));
  }

  async committed(group: string, topic: string): Promise<ReadonlyMap<number, bigint>> {
    const call = this.#call('committed');
    const rows = await this.#database.read(call, { op: 'committed', group, topic });
    return new Map(rows.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  /** Removes now what is old enough; it also happens by itself. */
  async purge(): Promise<void> {
    this.#call('purge');
    await this.#purge.run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await this.#purge.stop();
  }

  #call(method: string): string {
    const call = `event-log.${method}`;
    if (this.#closed) throw new PortError('closed', call, 'the log has been closed');
    return call;
  }
}
