import { EventState, EventStateRequest } from '../generated/miniplatform/events/v1/events.ts';
import type { DocumentStore, StoredDocument } from '../ports/document-store.ts';
import { PortError } from '../ports/port-error.ts';
import type { BatchHandler } from './domain.ts';
import { fromDocument } from './event.ts';
import { type AnyOperation, type Operation, readOperation } from './operation.ts';
import { failed } from './outcome.ts';

/** The read that tells what was decided about events of a write; it is served with the write (`serveEvents`). */
export function eventStateOf({ name }: Pick<AnyOperation, 'name'>): Operation<EventStateRequest, EventState> {
  return readOperation({ name: `${name}.state`, request: EventStateRequest, response: EventState });
}

/** Makes the handler of that read: one look-up for a batch. Refused and discarded events are found too. */
export function eventStateReader(
  documents: Pick<DocumentStore, 'findByIds'>,
  collection: string,
): BatchHandler<EventStateRequest, EventState> {
  return async (calls) => {
    try {
      const ids = calls.map(({ request }) => request.eventId);
      const found = await documents.findByIds(collection, ids);
      return found.map((document) => ({ verdict: 'ANSWERED', response: stateIn(document) }));
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      const failure = failed('STORE_UNAVAILABLE', error.message, true);
      return calls.map(() => failure);
    }
  };
}

function stateIn(document: StoredDocument | undefined): EventState {
  if (document === undefined) return { found: false, verdict: '', at: 0, bodyHash: '' };
  const { verdict, at, bodyHash } = fromDocument(document);
  return { found: true, verdict, at, bodyHash };
}
