import type { InsertResult } from '../ports/document-store.ts';
import type { EventStore, NewEvent } from '../ports/event-store.ts';
import { PortError } from '../ports/port-error.ts';
import { type Failed, failed } from './outcome.ts';
import type { BatchEnd } from './publications.ts';

export interface Insertion {
  /** In the order of the events. */
  readonly results: readonly (InsertResult | Failed)[];
  readonly end: BatchEnd;
}

/**
 * Inserts and publishes events. A batch that the store refuses as invalid is halved until the item at fault is
 * alone. Rejects for a defect only.
 */
export async function insertEvents(
  store: EventStore,
  collection: string,
  events: readonly NewEvent[],
): Promise<Insertion> {
  try {
    return { results: await store.insertAndAppend(collection, events), end: 'published' };
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    if (error.kind !== 'invalid') return failedInsertion(error, events);
    if (events.length === 1) {
      return { results: [failed('INVALID_REQUEST', error.message, false)], end: 'published' };
    }
    const middle = Math.ceil(events.length / 2);
    const first = await insertEvents(store, collection, events.slice(0, middle));
    const second = await insertEvents(store, collection, events.slice(middle));
    return { results: [...first.results, ...second.results], end: worse(first.end, second.end) };
  }
}

function failedInsertion(error: PortError, events: readonly NewEvent[]): Insertion {
  // An event store turns to the log only when the inserts are done.
  const isStored = error.call.startsWith('event-log.');
  const failure = failed(isStored ? 'LOG_UNAVAILABLE' : 'STORE_UNAVAILABLE', error.message, true);
  return { results: events.map(() => failure), end: isStored ? 'unpublished' : 'unknown' };
}

function worse(a: BatchEnd, b: BatchEnd): BatchEnd {
  if (a === 'unknown' || b === 'unknown') return 'unknown';
  return a === 'published' ? b : a;
}
