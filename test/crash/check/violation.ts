import { contentOf, type StoredEvent } from '../events.ts';
import { type EventHistory, heard, type Said } from '../ledger.ts';

/** Ways in which a promise can be broken. */
export type ViolationKind =
  /** Acknowledged, and not there. */
  | 'lost'
  /** There more than once, or acknowledged as new more than once. */
  | 'double'
  /** There, and nobody sent it, or it was refused, discarded or never attempted. */
  | 'phantom'
  /** Two answers that cannot both be true. */
  | 'contradiction'
  /** Another content or time than was sent or said. */
  | 'different'
  /** Against the fraud list. */
  | 'wrong-verdict'
  /** Kept (202) or taken by another body, and never decided about. */
  | 'undecided'
  /** An answer that must not be given. */
  | 'odd-answer'
  /** A list is out of order, or two lists disagree. */
  | 'bad-list'
  /** Interactions or branches miss a name, or have one that no event implies. */
  | 'bad-set'
  | 'not-published'
  | 'not-archived'
  /** The archive is not one chain. */
  | 'broken-archive'
  /** The process ended by itself, hung, or did not start. */
  | 'process'
  /** Well again only with somebody's help, or not in time. */
  | 'not-recovered';

/** A promise that was broken. */
export interface Violation {
  readonly kind: ViolationKind;
  /** Whom it concerns: the key of an event, a client's list. */
  readonly subject: string;
  /** What the clients were told. */
  readonly said: string;
  /** What is there in place of it. */
  readonly found: string;
}

/** What the clients were told about an event, in a line. */
export function saidOf(history: EventHistory): string {
  const answers = heard(history).map(({ body, said }) => `${contentOf(body)} -> ${describe(said)}`);
  const waiting = history.attempts.length - answers.length;
  return [...answers, ...(waiting > 0 ? [`${waiting} without answer yet`] : [])].join('; ');
}

/** Stored events, in a line. */
export function foundOf(events: readonly StoredEvent[]): string {
  return events.length === 0 ? 'not stored' : events.map((event) => JSON.stringify(event)).join('; ');
}

function describe(said: Said): string {
  switch (said.kind) {
    case 'stored':
      return `${said.status} at ${said.event.at}`;
    case 'parked':
      return `202 ${said.location}`;
    case 'odd':
      return said.what;
    default:
      return said.kind;
  }
}
