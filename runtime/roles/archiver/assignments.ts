import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import type { EventLog, RecordBatch, TopicSpec } from '../../ports/event-log.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { PartitionArchiver, type PartitionArchiverOptions } from './partition-archiver.ts';
import { findResume, PartitionStopped } from './resume.ts';

export interface AssignmentsOptions extends Omit<PartitionArchiverOptions, 'chain' | 'from' | 'metrics'> {
  readonly log: EventLog;
  readonly objects: ObjectStore;
  readonly topic: TopicSpec;
  readonly logger: Logger;
  readonly metrics: PartitionArchiverOptions['metrics'] & Pick<Metrics, 'archiveStopped'>;
}

/** The partitions that this archiver was assigned, and those of them that it cannot begin with. */
export class Assignments {
  readonly #options: AssignmentsOptions;
  readonly #partitions = new Map<number, PartitionArchiver>();
  /** Why a partition could not be begun with. */
  readonly #refused = new Map<number, Error>();
  #isOver = false;

  constructor(options: AssignmentsOptions) {
    this.#options = options;
  }

  /** A partition is assigned: finds out where to begin. Rejects when that is not known, or nowhere. */
  async assign(partition: number): Promise<bigint> {
    if (this.#isOver) throw new Error('the archiver stops');
    this.#partitions.get(partition)?.abandon();
    this.#partitions.delete(partition);
    try {
      const { chain, from } = await this.#resume(partition);
      this.#accept(partition);
      this.#partitions.set(partition, new PartitionArchiver({ ...this.#options, chain, from }));
      return from;
    } catch (error) {
      this.#refuse(partition, error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  async add(batch: RecordBatch): Promise<void> {
    const partition = this.#partitions.get(batch.partition);
    if (partition === undefined) throw new Error(`partition ${batch.partition} was not assigned`);
    await partition.add(batch);
  }

  /** Archives what is held; resolves when all of it is in the archive, or was abandoned. */
  async flush(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#partitions.values()].map((partition) => partition.flush()));
  }

  /** Drops what is held. */
  abandon(): void {
    this.#isOver = true;
    for (const partition of this.#partitions.values()) partition.abandon();
  }

  /** How far a partition is archived, if it was ever assigned. */
  reached(partition: number): bigint | undefined {
    return this.#partitions.get(partition)?.reached;
  }

  /** What keeps which partition from being archived. */
  troubles(): readonly string[] {
    const { topic } = this.#options;
    const refused = [...this.#refused].map(([partition, error]) =>
      error instanceof PartitionStopped
        ? `stopped: ${error.message}`
        : `waits to begin with partition ${partition} of ${topic.name}: ${error.message}`,
    );
    const failing = [...this.#partitions].flatMap(([partition, { trouble }]) =>
      trouble === undefined ? [] : [`waits to store partition ${partition} of ${topic.name}: ${trouble}`],
    );
    return [...refused, ...failing];
  }

  /** Whether what failed has been told already. */
  hasTold(error: Error): boolean {
    return [...this.#refused.values()].includes(error);
  }

  /**
   * Looks again at the partitions that could not be begun with: they may be somebody else's by now, and well.
   * Never rejects.
   */
  async recheck(): Promise<void> {
    for (const partition of [...this.#refused.keys()]) {
      try {
        await this.#resume(partition);
        this.#accept(partition);
      } catch (error) {
        this.#refuse(partition, error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  /** The generation is asked for each time: the topic may be another one by now. */
  async #resume(
    partition: number,
  ): Promise<{ readonly chain: PartitionArchiverOptions['chain']; from: bigint }> {
    const { log, objects, bucket, topic } = this.#options;
    const [info] = await log.ensureTopics([topic]);
    if (info === undefined) throw new Error(`the log does not know ${topic.name}`);
    const chain = { topic: topic.name, generation: info.generation, partition };
    return { chain, from: await findResume(log, { objects, bucket }, chain) };
  }

  #refuse(partition: number, error: Error): void {
    const { logger, metrics } = this.#options;
    const before = this.#refused.get(partition);
    this.#accept(partition);
    this.#refused.set(partition, error);
    if (error instanceof PartitionStopped) metrics.archiveStopped.set({ partition, reason: error.reason }, 1);
    if (before?.message === error.message) return;
    if (error instanceof PartitionStopped) logger.error({ partition, reason: error.reason }, error.message);
    else logger.warn({ err: error, partition }, 'cannot begin to archive; trying again');
  }

  #accept(partition: number): void {
    const before = this.#refused.get(partition);
    this.#refused.delete(partition);
    if (!(before instanceof PartitionStopped)) return;
    this.#options.metrics.archiveStopped.remove({ partition, reason: before.reason });
  }
}
