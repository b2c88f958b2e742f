import type { CancelTimer, Clock } from '../../clock.ts';
import type { Metrics } from '../../metrics.ts';
import type { EventLog, PartitionRange } from '../../ports/event-log.ts';

export interface LagMonitorOptions {
  readonly log: EventLog;
  readonly topic: string;
  readonly group: string;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'archiveLag' | 'archiveOldestAge'>;
  /** How far a partition is archived, as this process knows it; undefined when it does not. */
  readonly reached: (partition: number) => bigint | undefined;
  /** Called behind each measurement; does not reject. */
  readonly onMeasured: () => Promise<void>;
}

const EVERY_MS = 5_000;

/** Measures from time to time what is in the log and not in the archive, of all partitions, whoever archives them. */
export class LagMonitor {
  readonly #options: LagMonitorOptions;
  #cancel: CancelTimer = () => {};
  #running: Promise<void> | undefined;
  #trouble: string | undefined;

  constructor(options: LagMonitorOptions) {
    this.#options = options;
  }

  /** Why the log could not be asked the last time; undefined when it could. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Measures at once, and then from time to time. */
  start(): void {
    void this.measure();
    this.#cancel = this.#options.clock.every(EVERY_MS, () => void this.measure());
  }

  stop(): void {
    this.#cancel();
  }

  /** Measures now, or waits for the measurement that runs. Never rejects: what is not known has no value. */
  measure(): Promise<void> {
    this.#running ??= this.#measure().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #measure(): Promise<void> {
    const { log, topic, group, metrics, onMeasured } = this.#options;
    try {
      const ranges = await log.ranges(topic);
      const committed = await log.committed(group, topic);
      for (const range of ranges) await this.#measurePartition(range, committed.get(range.partition));
      this.#trouble = undefined;
    } catch (error) {
      // An unknown lag is not the last one that was known.
      metrics.archiveLag.reset();
      metrics.archiveOldestAge.reset();
      this.#trouble = error instanceof Error ? error.message : String(error);
    }
    await onMeasured();
  }

  async #measurePartition({ partition, start, end }: PartitionRange, committed = 0n): Promise<void> {
    const { log, topic, clock, metrics, reached } = this.#options;
    const from = [committed, reached(partition) ?? 0n, start].reduce((one, other) =>
      one > other ? one : other,
    );
    const [oldest] = from < end ? await log.read({ topic, partition, from, maxRecords: 1 }) : [];
    const age = oldest === undefined ? 0 : Math.max(0, clock.now() - oldest.timestamp) / 1000;
    metrics.archiveLag.set({ partition }, from < end ? Number(end - from) : 0);
    metrics.archiveOldestAge.set({ partition }, age);
  }
}
