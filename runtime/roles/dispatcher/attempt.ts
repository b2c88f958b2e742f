import { type Failed, failed } from '../../domain-kit/outcome.ts';
import type { LinkResult } from '../../link/pending.ts';
import type { Member } from './member.ts';
import type { Choice, Wanted } from './members.ts';

/** An operation ready to be sent: encoded once, whatever the number of tries. */
export interface Prepared {
  readonly wanted: Wanted;
  readonly name: string;
  readonly request: Uint8Array;
  readonly eventId: string;
  readonly bodyHash: Uint8Array;
  /** Writes only: gives the event up instead of storing it. */
  readonly discard?: boolean;
}

/** The failure where nobody who could serve the operation has joined. */
export const NO_MEMBER = failed('FULL', 'no worker has joined that serves this', false);
const ALL_BUSY = failed('FULL', 'all workers are busy', false);

/** Sends an operation to one member, once. Never rejects; resolves within the time-out, in ms. */
export function attempt(member: Member, prepared: Prepared, timeoutMs: number): Promise<LinkResult> {
  const { name, request, eventId, bodyHash, discard = false } = prepared;
  return member.send({ name, request, eventId, bodyHash, timeoutMs, discard });
}

/** The failure where no member could be chosen: nothing was sent. */
export function refusal(choice: Exclude<Choice, { member: Member }>): Failed {
  return choice.none === 'full' ? ALL_BUSY : NO_MEMBER;
}
