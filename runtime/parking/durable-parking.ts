import { Backoff } from '../backoff.ts';
import { type Clock, pause } from '../clock.ts';
import { LogLimiter } from '../log-limiter.ts';
import type { Logger } from '../logging.ts';
import type { Metrics } from '../metrics.ts';
import type { Cache } from '../ports/cache.ts';
import type { EventLog, NewRecord } from '../ports/event-log.ts';
import { PortError } from '../ports/port-error.ts';
import { within } from './deadline.ts';
import { Follower } from './follower.ts';
import { OwnParks } from './own-parks.ts';
import { recordOf, tombstoneOf } from './parked-topic.ts';
import type { NewParkedWrite, ParkedWrite } from './parked-write.ts';
import type { ListOptions, ParkedPage, Parking } from './parking.ts';
import { DEFAULT_PARKING_LIMITS, type ParkingLimits, type ParkingRetry } from './parking-limits.ts';
import { nextDueAt } from './resend-judgement.ts';
import { Resender, type SendParked } from './resender.ts';
import { type Reading, Schedule } from './schedule.ts';
import type { EventKey } from './stored-write.ts';

export interface DurableParkingOptions {
  readonly log: EventLog;
  readonly cache: Cache;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<
    Metrics,
    'parkedWrites' | 'parked' | 'resends' | 'parkedOverdue' | 'resenderBreakerOpen' | 'parkedScheduleBehind'
  >;
  readonly send: SendParked;
  readonly retry: ParkingRetry;
  readonly limits?: Partial<ParkingLimits>;
  /** For jitter; 0 to 1. */
  readonly random?: () => number;
}

const MAX_PAGE = 100;
/** Pauses of the follower while a service is away, in ms. */
const INITIAL_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5_000;

/**
 * Parks writes durably in the event log. The topic is what is true; the cache holds a schedule that every
 * process with parking helps to keep at the end of the topic, and that is built anew from it when it is lost.
 */
export class DurableParking implements Parking {
  readonly #options: DurableParkingOptions;
  readonly #limits: ParkingLimits;
  readonly #random: () => number;
  readonly #limiter: LogLimiter;
  readonly #own = new OwnParks();
  readonly #schedule: Schedule;
  readonly #follower: Follower;
  readonly #resender: Resender;
  readonly #stop = new AbortController();
  #loops: Promise<unknown> | undefined;
  /** The run of the follower that ended last failed: the loop tries again, and nobody else does. */
  #isFollowing = true;

  constructor(options: DurableParkingOptions) {
    const { log, cache, clock, logger, limits, random = Math.random } = options;
    this.#options = options;
    this.#limits = { ...DEFAULT_PARKING_LIMITS, ...limits };
    this.#random = random;
    this.#limiter = new LogLimiter(clock);
    this.#schedule = new Schedule(cache);
    this.#follower = new Follower({ log, schedule: this.#schedule, own: this.#own, clock, logger });
    this.#resender = new Resender({
      ...options,
      schedule: this.#schedule,
      follower: this.#follower,
      append: (records) => this.#append(records),
      limits: this.#limits,
      random,
    });
  }

  start(): void {
    const { signal } = this.#stop;
    this.#loops ??= Promise.all([this.#followLoop(signal), this.#resender.run(signal)]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loops;
    await this.#follower.idle();
  }

  /**
   * Stores the write durably. Rejects with `unavailable` when that is not certain, before the topic is known to
   * exist, and when too many writes are parked already; with `invalid` when the log cannot hold it.
   */
  async park(write: NewParkedWrite): Promise<void> {
    const { clock, retry, metrics } = this.#options;
    if (await this.#isParked(write)) return;
    this.#checkRoom();
    const now = clock.now();
    const dueAt = nextDueAt(0, now, retry, this.#random);
    const parked: ParkedWrite = { ...write, state: 'PARKED', parkedAt: now, dueAt, attempts: 0 };
    await this.#own.during(parked, this.#append([recordOf(parked)]));
    const { operation, cause } = write;
    metrics.parked.inc({ operation, cause });
  }

  /**
   * Hashes of the bodies that are parked under this event; undefined, at once, when nothing is parked as far as
   * this process knows. It is for refusing another body, not for acknowledging the same one, and it does its
   * best in a short time only: a body that another process parked within the last second, or one that a cache
   * that is away cannot tell of, is not among them. So another body may be stored under the event's id. Then the
   * parked one is found to reuse the id when it is sent, and becomes a dead letter with the cause KEY_REUSED.
   */
  parkedBodies(operation: string, eventId: string): Promise<readonly string[]> | undefined {
    const { counts } = this.#follower;
    if (counts !== undefined && counts.parked + counts.deadLetters + this.#own.size === 0) return undefined;
    return this.#bodies({ operation, eventId });
  }

  async find(operation: string, eventId: string): Promise<readonly ParkedWrite[]> {
    return this.#read('parking.find', async (generation) => {
      const { head, writes } = await this.#schedule.look(generation, [{ operation, eventId }]);
      return { head, value: writes[0] ?? [] };
    });
  }

  /**
   * One page of a state, the latest first. Positions are those of the schedule, in which a write that is being
   * sent stands at the end of its lease: one may be seen twice, or not, while it is sent.
   */
  async list(options: ListOptions): Promise<ParkedPage> {
    const { limit } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
      throw new PortError('invalid', 'parking.list', `limit is ${limit}, not 1 to ${MAX_PAGE}`);
    }
    return this.#read('parking.list', (generation) => this.#schedule.page(generation, options));
  }

  async retry(write: ParkedWrite): Promise<void> {
    const parked = await this.find(write.operation, write.eventId);
    const current = parked.find(({ bodyHash }) => bodyHash === write.bodyHash);
    if (current === undefined) return;
    const dueAt = this.#options.clock.now();
    await this.#append([recordOf({ ...current, state: 'PARKED', attempts: 0, dueAt })]);
  }

  async resolve(write: ParkedWrite): Promise<void> {
    await this.#append([tombstoneOf(write)]);
  }

  /**
   * Whether this very body is parked for certain: not by what the schedule says alone, which may not show yet
   * that the write was resolved, so that parking it anew would be skipped.
   */
  async #isParked({ operation, eventId, bodyHash }: NewParkedWrite): Promise<boolean> {
    const known = await this.parkedBodies(operation, eventId);
    if (known?.includes(bodyHash) !== true) return false;
    try {
      const { clock } = this.#options;
      const find = this.find(operation, eventId);
      const writes = await within(clock, this.#limits.lookupMs, 'parking.park', find);
      return writes.some((write) => write.bodyHash === bodyHash);
    } catch (error) {
      if (error instanceof PortError) return false;
      throw error;
    }
  }

  #checkRoom(): void {
    const { maxParked } = this.#limits;
    const { parked, deadLetters } = this.#follower.counts ?? { parked: 0, deadLetters: 0 };
    if (parked + deadLetters + this.#own.size < maxParked) return;
    throw new PortError('unavailable', 'parking.park', `${maxParked} writes are parked already, no more fit`);
  }

  async #bodies(event: EventKey): Promise<readonly string[]> {
    const own = this.#own.bodies(event);
    try {
      const { clock } = this.#options;
      const look = this.#schedule.look(this.#follower.generation ?? '', [event]);
      const { writes } = await within(clock, this.#limits.lookupMs, 'parking.parkedBodies', look);
      return [...new Set([...own, ...(writes[0] ?? []).map(({ bodyHash }) => bodyHash)])];
    } catch (error) {
      if (error instanceof PortError) return own;
      throw error;
    }
  }

  async #read<T>(call: string, look: (generation: string) => Promise<Reading<T>>): Promise<T> {
    try {
      return await this.#follower.read(this.#limits.findMs, call, look);
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      const reason = 'what is parked cannot be told now';
      throw new PortError('unavailable', call, `${reason}: ${error.message}`, { cause: error });
    }
  }

  async #append(records: readonly NewRecord[]): Promise<void> {
    if (this.#follower.generation === undefined) {
      throw new PortError('unavailable', 'parking', 'the topic of parked writes is not known to exist yet');
    }
    await this.#options.log.append(records);
    if (this.#isFollowing && !this.#stop.signal.aborted) void this.#follow();
  }

  /** Resolves to whether the schedule has come to the end of the topic. */
  async #follow(): Promise<boolean> {
    try {
      await this.#follower.follow();
      this.#isFollowing = true;
    } catch (error) {
      this.#isFollowing = false;
      const heldBack = this.#limiter.admit('follow');
      if (heldBack !== undefined) {
        this.#options.logger.warn(
          { err: error, heldBack },
          'the schedule of parked writes cannot be kept now',
        );
      }
    }
    return this.#isFollowing;
  }

  async #followLoop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const backoff = new Backoff(INITIAL_PAUSE_MS, MAX_PAUSE_MS, this.#random);
    while (!signal.aborted) {
      const isUpToDate = await this.#follow();
      this.#observe();
      if (isUpToDate) backoff.reset();
      await pause(clock, isUpToDate ? this.#limits.followEveryMs : backoff.next(), signal);
    }
  }

  #observe(): void {
    const { metrics, clock } = this.#options;
    const { counts, behind } = this.#follower;
    const { oldestDueAt, isBreakerOpen } = this.#resender;
    metrics.parkedScheduleBehind.set(behind);
    metrics.parkedOverdue.set(oldestDueAt === undefined ? 0 : Math.max(clock.now() - oldestDueAt, 0) / 1_000);
    metrics.resenderBreakerOpen.set(isBreakerOpen ? 1 : 0);
    // Until they are known, no number is better than a wrong one.
    if (counts === undefined) return;
    metrics.parkedWrites.set({ state: 'parked' }, counts.parked);
    metrics.parkedWrites.set({ state: 'dead_letter' }, counts.deadLetters);
  }
}
