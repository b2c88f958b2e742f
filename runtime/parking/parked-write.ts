import type { FailureCause } from '../domain-kit/outcome.ts';

/** A write that is kept durably until the store has decided about it. */
export interface ParkedWrite {
  /** Name of its operation, for example `bank.transaction`. */
  readonly operation: string;
  readonly eventId: string;
  /** As it is stored with the event: SHA-256 of the operation's name and request, in base64url. */
  readonly bodyHash: string;
  /** The encoded request. */
  readonly request: Uint8Array;
  /** A dead letter is no longer resent by itself: it waits for an administrator. */
  readonly state: 'PARKED' | 'DEAD_LETTER';
  /** When it was parked, in ms since the epoch. */
  readonly parkedAt: number;
  /** When it is sent next, in ms since the epoch; for a dead letter, when it was set aside. */
  readonly dueAt: number;
  /** How often it failed by its own fault; a service or worker that was away does not count. */
  readonly attempts: number;
  /** Why it is here: the last failure. `KEY_REUSED`: its event id is taken by another body. */
  readonly cause: FailureCause | 'KEY_REUSED';
  /** For people; holds no client data. */
  readonly message: string;
}

/** What is known of a write when it is parked. */
export type NewParkedWrite = Pick<
  ParkedWrite,
  'operation' | 'eventId' | 'bodyHash' | 'request' | 'cause' | 'message'
>;
