import type { Clock } from '../clock.ts';
import type { Logger } from '../logging.ts';
import type { EventLog, LogRecord, PartitionRange } from '../ports/event-log.ts';
import { PortError } from '../ports/port-error.ts';
import { within } from './deadline.ts';
import type { OwnParks } from './own-parks.ts';
import { changeOf, PARKED_WRITES, type ParkedChange } from './parked-topic.ts';
import type { Found, Head, Reading, Schedule } from './schedule.ts';

export interface FollowerOptions {
  readonly log: EventLog;
  readonly schedule: Schedule;
  readonly own: OwnParks;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Numbers of parked writes by state. */
export type ParkedCounts = Pick<Head, 'parked' | 'deadLetters'>;

/** A schedule at the end of the topic; or what stands in the place of one that has to be built anew. */
type CaughtUp = { readonly head: Head } | { readonly broken: Found };

/** Records that are applied to the schedule together. */
const CHUNK = 500;
/** A cache that loses the schedule more often than this in one run is left alone until the next one. */
const MAX_RESTARTS = 5;
const CALL = 'parking.follow';
const TOPIC = PARKED_WRITES.name;

/**
 * Brings the schedule up to the end of the topic, and builds it anew when the cache has lost some of it. It
 * needs no consumer group: how far it has come stands in the schedule itself, so any process may follow at any
 * time, and those that race only repeat each other's reading.
 */
export class Follower {
  readonly #options: FollowerOptions;
  #generation: string | undefined;
  #counts: ParkedCounts | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #scheduleOffset = 0n;
  #topicEnd = 0n;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Generation of the topic; undefined until it is known to exist. */
  get generation(): string | undefined {
    return this.#generation;
  }

  /** As they were when the end of the topic was reached last; undefined until then. */
  get counts(): ParkedCounts | undefined {
    return this.#counts;
  }

  /** By how many offsets the schedule was behind the topic, as far as both were seen. */
  get behind(): number {
    return Math.max(Number(this.#topicEnd - this.#scheduleOffset), 0);
  }

  /**
   * Resolves when the schedule shows all that was in the topic at the time of the call; rejects with a PortError
   * when the log or the cache is away. There is one run at a time; all who call meanwhile share the one behind it.
   */
  follow(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#begin();
    // The run that is under way may have looked for the end of the topic before the call.
    this.#next = this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  /** Resolves when no run is under way. Never rejects. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#running, this.#next]);
  }

  /**
   * Reads from a schedule that shows all that was in the topic at the time of the call. Rejects with a PortError
   * when there is none within so many ms.
   */
  read<T>(ms: number, call: string, look: (generation: string) => Promise<Reading<T>>): Promise<T> {
    const { clock } = this.#options;
    return within(clock, ms, call, this.#read(clock.monotonic() + ms, look));
  }

  async #read<T>(deadline: number, look: (generation: string) => Promise<Reading<T>>): Promise<T> {
    const { clock } = this.#options;
    const { end } = await this.#range();
    while (clock.monotonic() < deadline) {
      const { head, value } = await look(await this.#knownGeneration());
      if (head !== undefined && head.offset >= end) return value;
      await this.follow();
    }
    throw new PortError('unavailable', CALL, 'the schedule is behind the topic');
  }

  #begin(): Promise<void> {
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { own, schedule, logger } = this.#options;
    own.followBegins();
    for (let restarts = 0; restarts <= MAX_RESTARTS; restarts += 1) {
      const generation = await this.#knownGeneration();
      const result = await this.#catchUp(generation);
      if ('head' in result) {
        const { parked, deadLetters } = result.head;
        this.#counts = { parked, deadLetters };
        own.followed();
        return;
      }
      // A topic that was made anew is another one, and another process may have built its schedule already.
      if ((await this.#ensureTopic()) !== generation) continue;
      const { start } = await this.#range();
      logger.info(
        { start: start.toString() },
        'the cache has no whole schedule of parked writes; building it',
      );
      await schedule.restart(result.broken, generation, start);
    }
    throw new PortError('unavailable', CALL, 'the cache keeps losing the schedule while it is built');
  }

  async #catchUp(generation: string): Promise<CaughtUp> {
    const { schedule } = this.#options;
    const range = await this.#range();
    let found: Found = await schedule.look(generation);
    if (found.head !== undefined && (await this.#hasLost(found.head, range))) return { broken: found };
    while (found.head !== undefined) {
      const { head } = found;
      this.#scheduleOffset = head.offset;
      const isAtEnd = head.offset >= range.end;
      if (isAtEnd && (await schedule.holds(head))) return { head };
      const next = isAtEnd ? undefined : await this.#step(head, range);
      found = next === undefined ? await schedule.look(generation) : { ...next, head: next };
      // The same version, and yet a guard did not hold: one of the sets is lost.
      if (next === undefined && found.version === head.version) return { broken: found };
    }
    return { broken: found };
  }

  /** Whether the topic has lost records that the schedule shows: it ends before them, or begins behind them. */
  async #hasLost({ offset }: Head, { start, end }: PartitionRange): Promise<boolean> {
    if (offset < start) return true;
    // Another follower may have moved on since the topic's end was asked.
    return offset > end && offset > (await this.#range()).end;
  }

  /** Applies some records; resolves to undefined when another follower was faster or the cache lost something. */
  async #step(head: Head, { end }: PartitionRange): Promise<Head | undefined> {
    const { log, schedule } = this.#options;
    const from = head.offset;
    const records = await log.read({ topic: TOPIC, partition: 0, from, maxRecords: CHUNK });
    const last = records.at(-1);
    // No record although the end is further on: compaction has removed what was there.
    const offset = last === undefined ? end : last.offset + 1n;
    return schedule.advance(head, offset, this.#changes(records));
  }

  #changes(records: readonly LogRecord[]): readonly ParkedChange[] {
    const strange: LogRecord[] = [];
    const changes = records.flatMap((record) => {
      const change = changeOf(record);
      if (change === undefined) strange.push(record);
      return change ?? [];
    });
    if (strange[0] !== undefined) {
      const fields = { topic: TOPIC, offset: strange[0].offset.toString(), records: strange.length };
      this.#options.logger.error(fields, 'records that are no parked writes were passed over');
    }
    return changes;
  }

  async #knownGeneration(): Promise<string> {
    return this.#generation ?? (await this.#ensureTopic());
  }

  async #ensureTopic(): Promise<string> {
    const [topic] = await this.#options.log.ensureTopics([PARKED_WRITES]);
    if (topic === undefined) throw new Error('the log made no topic of the one asked for');
    this.#generation = topic.generation;
    return topic.generation;
  }

  async #range(): Promise<PartitionRange> {
    await this.#knownGeneration();
    const [range] = await this.#ranges();
    if (range === undefined) throw new Error(`topic ${TOPIC} has no partition`);
    this.#topicEnd = range.end;
    return range;
  }

  async #ranges(): Promise<readonly PartitionRange[]> {
    const { log } = this.#options;
    try {
      return await log.ranges(TOPIC);
    } catch (error) {
      if (!(error instanceof PortError) || error.kind !== 'invalid') throw error;
      // Somebody has deleted the topic.
      await this.#ensureTopic();
      return log.ranges(TOPIC);
    }
  }
}
