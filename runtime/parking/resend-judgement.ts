import { Backoff } from '../backoff.ts';
import type { Failed, FailureCause, Outcome } from '../domain-kit/outcome.ts';
import type { ParkedWrite } from './parked-write.ts';
import type { ParkingRetry } from './parking-limits.ts';

/** What an outcome means for a parked write. */
export type Judgement =
  /** The store has decided: it is resolved. */
  | { readonly kind: 'decided' }
  /** Its event id belongs to another body: only a person can tell what was meant. */
  | { readonly kind: 'reused' }
  /** Something that it needs is away: not its fault, and no attempt. */
  | { readonly kind: 'away'; readonly failure: Failed }
  /** It failed itself: an attempt. */
  | { readonly kind: 'failed'; readonly failure: Failed };

const IS_AWAY: Readonly<Record<FailureCause, boolean>> = {
  EXPIRED: true,
  FULL: true,
  LINK_LOST: true,
  // The workers may be of an older version, in a rolling update.
  UNKNOWN_OPERATION: true,
  STORE_UNAVAILABLE: true,
  LOG_UNAVAILABLE: true,
  CACHE_UNAVAILABLE: true,
  INVALID_REQUEST: false,
  REPLY_TOO_LARGE: false,
  INTERNAL: false,
};

/** Judges what became of a write that was sent again. */
export function judge(outcome: Outcome<Uint8Array>): Judgement {
  switch (outcome.verdict) {
    case 'ANSWERED':
    case 'INSERTED':
    case 'DUPLICATED':
    case 'REFUSED':
    case 'DISCARDED':
      return { kind: 'decided' };
    case 'KEY_REUSED':
      return { kind: 'reused' };
    case 'FAILED':
      return { kind: IS_AWAY[outcome.cause] ? 'away' : 'failed', failure: outcome };
  }
}

/** When a write that has failed so many times is tried again, in ms since the epoch. */
export function nextDueAt(
  failures: number,
  now: number,
  { initialMs, maxMs }: ParkingRetry,
  random: () => number,
): number {
  const ms = Math.min(initialMs * 2 ** Math.max(failures - 1, 0), maxMs);
  return Math.ceil(now + new Backoff(ms, maxMs, random).next());
}

/** A write that has failed once more by its own fault: to be tried later, or set aside. */
export function afterFailure(
  write: ParkedWrite,
  { cause, message }: Failed,
  retry: ParkingRetry,
  { now, random }: { readonly now: number; readonly random: () => number },
): ParkedWrite {
  const attempts = write.attempts + 1;
  const failure = { ...write, attempts, cause, message };
  return attempts >= retry.maxAttempts
    ? { ...failure, state: 'DEAD_LETTER', dueAt: now }
    : { ...failure, dueAt: nextDueAt(attempts, now, retry, random) };
}

/** A write whose event id belongs to another body: set aside at once. */
export function afterReuse(write: ParkedWrite, now: number): ParkedWrite {
  return {
    ...write,
    state: 'DEAD_LETTER',
    dueAt: now,
    cause: 'KEY_REUSED',
    message: 'its event id was used before, with another body',
  };
}
