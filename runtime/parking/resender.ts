import { type Clock, pause } from '../clock.ts';
import { type Failed, failed, type Outcome } from '../domain-kit/outcome.ts';
import { LogLimiter } from '../log-limiter.ts';
import type { Logger } from '../logging.ts';
import type { Metrics } from '../metrics.ts';
import type { NewRecord } from '../ports/event-log.ts';
import { PortError } from '../ports/port-error.ts';
import { Breaker } from './breaker.ts';
import { within } from './deadline.ts';
import type { Follower } from './follower.ts';
import { recordOf, tombstoneOf } from './parked-topic.ts';
import type { ParkedWrite } from './parked-write.ts';
import type { ParkingLimits, ParkingRetry } from './parking-limits.ts';
import { afterFailure, afterReuse, judge, type Judgement } from './resend-judgement.ts';
import type { Schedule } from './schedule.ts';
import { writeName } from './stored-write.ts';

/** Sends a parked write to a worker, once. Never rejects. */
export type SendParked = (write: ParkedWrite) => Promise<Outcome<Uint8Array>>;

export interface ResenderOptions {
  readonly schedule: Schedule;
  readonly follower: Pick<Follower, 'generation' | 'counts'>;
  /** Appends to the topic of parked writes, and has it followed. */
  readonly append: (records: readonly NewRecord[]) => Promise<void>;
  readonly send: SendParked;
  readonly retry: ParkingRetry;
  readonly limits: Pick<ParkingLimits, 'concurrency' | 'sendMs' | 'pollMs'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'resends'>;
  /** For jitter; 0 to 1. */
  readonly random: () => number;
}

/** A write that was sent again, and what that means for it. */
interface Resent {
  readonly write: ParkedWrite;
  readonly judgement: Judgement;
}

/** A lease outlasts the send by this much, for the append behind it; in ms. */
const LEASE_MARGIN_MS = 15_000;

/**
 * Sends parked writes that are due until the store has decided about them. Several resenders at once do no
 * harm: leases keep them off each other's writes, and a write that is sent twice all the same is answered as a
 * duplicate.
 */
export class Resender {
  readonly #options: ResenderOptions;
  readonly #breaker: Breaker;
  readonly #limiter: LogLimiter;
  #oldestDueAt: number | undefined;

  constructor(options: ResenderOptions) {
    this.#options = options;
    this.#breaker = new Breaker(options.random);
    this.#limiter = new LogLimiter(options.clock);
  }

  /** When the longest-waiting write of those sent last was due, in ms since the epoch; undefined: none is. */
  get oldestDueAt(): number | undefined {
    return this.#oldestDueAt;
  }

  get isBreakerOpen(): boolean {
    return this.#breaker.isOpen;
  }

  /** Sends what is due, again and again, until the signal aborts; then it ends with the round that runs. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, limits } = this.#options;
    while (!signal.aborted) {
      const pauseMs = await this.round(signal).catch((error: unknown) => {
        this.#report(error, 'parked writes cannot be sent again now');
        return limits.pollMs;
      });
      if (pauseMs > 0) await pause(clock, pauseMs, signal);
    }
  }

  /**
   * Sends what is due: as much as may be sent at once, or one write while the breaker is open. Resolves to how
   * long to wait before the next round, in ms. Rejects with a PortError when the cache is away.
   */
  async round(signal?: AbortSignal): Promise<number> {
    const { schedule, follower, limits, clock } = this.#options;
    const { generation } = follower;
    if (generation === undefined) return limits.pollMs;
    const limit = this.#breaker.isOpen ? 1 : limits.concurrency;
    const writes = await this.#claim(generation, limit);
    if (signal?.aborted === true) await schedule.giveBack(writes, clock.now());
    else if (writes.length > 0) await this.#resendAll(generation, writes);
    return this.#breaker.pauseMs ?? (writes.length === limit ? 0 : limits.pollMs);
  }

  async #claim(generation: string, limit: number): Promise<readonly ParkedWrite[]> {
    const { schedule, follower, limits, clock } = this.#options;
    const leaseMs = limits.sendMs + LEASE_MARGIN_MS;
    const writes = await schedule.claim(generation, { now: clock.now(), leaseMs, limit });
    this.#noteOldest(writes);
    // Nothing is left to probe with: others have resolved it.
    if (writes.length === 0 && follower.counts?.parked === 0) this.#closeBreaker();
    return writes;
  }

  async #resendAll(generation: string, writes: readonly ParkedWrite[]): Promise<void> {
    const { schedule, clock } = this.#options;
    const resent = await Promise.all(writes.map((write) => this.#resend(write)));
    this.#moveBreaker(resent);
    await this.#append(await this.#withoutOutdated(generation, resent));
    // Now, not when they were due before: one that always times out goes behind the others.
    const away = resent.filter(({ judgement }) => judgement.kind === 'away');
    await schedule.giveBack(
      away.map(({ write }) => write),
      clock.now(),
    );
  }

  async #resend(write: ParkedWrite): Promise<Resent> {
    const { send, clock, limits, metrics } = this.#options;
    const { operation } = write;
    let outcome: Outcome<Uint8Array>;
    try {
      outcome = await within(clock, limits.sendMs, 'parking.send', send(write));
    } catch (error) {
      outcome = this.#failedSend(error);
    }
    metrics.resends.inc({ operation, verdict: outcome.verdict });
    return { write, judgement: judge(outcome) };
  }

  #failedSend(error: unknown): Failed {
    if (error instanceof PortError) return failed('EXPIRED', error.message, true);
    this.#report(error, 'sending a parked write failed by a defect');
    return failed('INTERNAL', 'sending failed by a defect', true);
  }

  /**
   * Leaves out what would be kept although it is no longer as it was sent: another resender or an administrator
   * has dealt with it meanwhile, and its tombstone must not be followed by a new record.
   */
  async #withoutOutdated(generation: string, resent: readonly Resent[]): Promise<readonly Resent[]> {
    const kept = resent.filter(({ judgement: { kind } }) => kind === 'failed' || kind === 'reused');
    if (kept.length === 0) return resent;
    const { writes } = await this.#options.schedule.look(
      generation,
      kept.map(({ write }) => write),
    );
    const current = new Map(writes.flat().map((write) => [writeName(write), write]));
    const outdated = new Set(kept.filter(({ write }) => !isSame(write, current.get(writeName(write)))));
    return resent.filter((each) => !outdated.has(each));
  }

  /** An append that fails leaves its writes to their leases. */
  async #append(resent: readonly Resent[]): Promise<void> {
    const settled = resent.flatMap(({ write, judgement }) => {
      const next = this.#next(write, judgement);
      return next === 'as it is' ? [] : { write, next };
    });
    if (settled.length === 0) return;
    try {
      await this.#options.append(
        settled.map(({ write, next }) => (next === 'resolved' ? tombstoneOf(write) : recordOf(next))),
      );
    } catch (error) {
      this.#report(error, 'what became of parked writes cannot be stored now');
      return;
    }
    for (const { write, next } of settled) this.#log(write, next);
  }

  #next(write: ParkedWrite, judgement: Judgement): ParkedWrite | 'resolved' | 'as it is' {
    const { clock, retry, random } = this.#options;
    const now = clock.now();
    switch (judgement.kind) {
      case 'decided':
        return 'resolved';
      case 'reused':
        return afterReuse(write, now);
      case 'failed':
        return afterFailure(write, judgement.failure, retry, { now, random });
      case 'away':
        return 'as it is';
    }
  }

  #moveBreaker(resent: readonly Resent[]): void {
    const { logger } = this.#options;
    const wasOpen = this.#breaker.isOpen;
    const away = resent.find(({ judgement }) => judgement.kind === 'away');
    const isDecided = resent.some(({ judgement: { kind } }) => kind === 'decided' || kind === 'reused');
    if (away !== undefined) this.#breaker.fail();
    else if (isDecided) this.#closeBreaker();
    else this.#breaker.answer();
    if (!wasOpen && away?.judgement.kind === 'away') {
      const { cause, message } = away.judgement.failure;
      logger.warn({ cause, reason: message }, 'what parked writes need is away; single ones probe for it');
    }
  }

  #closeBreaker(): void {
    if (this.#breaker.isOpen) this.#options.logger.info('parked writes are sent again without probing first');
    this.#breaker.close();
  }

  #noteOldest(writes: readonly ParkedWrite[]): void {
    const dueAt = writes.map((write) => write.dueAt);
    // A probe shows one write of many, in turn.
    if (this.#breaker.isOpen && dueAt.length > 0) dueAt.push(this.#oldestDueAt ?? Infinity);
    this.#oldestDueAt = dueAt.length === 0 ? undefined : Math.min(...dueAt);
  }

  #log({ operation, eventId, attempts }: ParkedWrite, next: ParkedWrite | 'resolved' | 'as it is'): void {
    const { logger } = this.#options;
    if (next === 'resolved') {
      const heldBack = attempts === 0 ? undefined : this.#limiter.admit(`resolved ${operation}`);
      if (heldBack === undefined) return;
      logger.info({ operation, eventId, attempts, heldBack }, 'a parked write that had failed is resolved');
    } else if (next !== 'as it is' && next.state === 'DEAD_LETTER') {
      const { cause, message } = next;
      const fields = { operation, eventId, attempts: next.attempts, cause, reason: message };
      logger.warn(fields, 'a parked write was set aside as a dead letter');
    }
  }

  #report(error: unknown, message: string): void {
    const heldBack = this.#limiter.admit(message);
    if (heldBack !== undefined) this.#options.logger.warn({ err: error, heldBack }, message);
  }
}

function isSame({ state, attempts }: ParkedWrite, current: ParkedWrite | undefined): boolean {
  return current?.state === state && current.attempts === attempts;
}
