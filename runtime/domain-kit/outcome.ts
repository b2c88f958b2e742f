import type { ErrorCode } from '../errors.ts';

/** Why an operation got no final answer. */
export type FailureCause =
  /** Its time ran out while it waited or while it was worked on. */
  | 'EXPIRED'
  /** No usable member, or all windows and queues were full. */
  | 'FULL'
  /** The link to the worker broke. */
  | 'LINK_LOST'
  | 'UNKNOWN_OPERATION'
  | 'INVALID_REQUEST'
  | 'STORE_UNAVAILABLE'
  | 'LOG_UNAVAILABLE'
  | 'CACHE_UNAVAILABLE'
  | 'REPLY_TOO_LARGE'
  | 'INTERNAL';

/** No final answer. Asking again with the same event id is safe and finds the outcome. */
export interface Failed {
  readonly verdict: 'FAILED';
  readonly cause: FailureCause;
  /** For people and logs; holds no client data. */
  readonly message: string;
  /** False: certainly nothing was done. True: the outcome is unknown. */
  readonly attempted: boolean;
}

/** What became of an operation. */
export type Outcome<Res> =
  /** A read was answered; a write was stored by this attempt, or before with the same body. */
  | { readonly verdict: 'ANSWERED' | 'INSERTED' | 'DUPLICATED'; readonly response: Res }
  /** The domain refused the event; the refusal is stored and stays the answer. */
  | { readonly verdict: 'REFUSED'; readonly reason: ErrorCode }
  /** An administrator discarded the event before it was stored. */
  | { readonly verdict: 'DISCARDED' }
  /** The event id was used before, with another body. */
  | { readonly verdict: 'KEY_REUSED' }
  | Failed;

/** What a dispatcher's asker gets: an outcome, or that the write is kept durably and sent again later. */
export type Answer<Res> = Outcome<Res> | { readonly verdict: 'PARKED' };

/** Makes a failure. */
export function failed(cause: FailureCause, message: string, attempted: boolean): Failed {
  return { verdict: 'FAILED', cause, message, attempted };
}
