import { ComposedEventStore } from '../../runtime/adapters/composed/event-store.ts';
import type { DocumentStore, InsertResult, StoredDocument } from '../../runtime/ports/document-store.ts';
import type { EventLog, NewRecord } from '../../runtime/ports/event-log.ts';
import type { EventStore } from '../../runtime/ports/event-store.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { fakeOf } from './fakes.ts';

/** Documents by collection and id, as a test looks at them. */
export interface FakeDocuments {
  readonly store: DocumentStore;
  readonly documents: Map<string, StoredDocument>;
  /** How many documents came in each insert. */
  readonly inserts: number[];
  /** The ids of each look-up. */
  readonly lookups: (readonly string[])[];
}

/** A document store of one collection in memory. `isInvalid` says which documents it refuses, with their batch. */
export function fakeDocuments(isInvalid: (document: StoredDocument) => boolean = () => false): FakeDocuments {
  const documents = new Map<string, StoredDocument>();
  const inserts: number[] = [];
  const lookups: (readonly string[])[] = [];
  const insert = (document: StoredDocument): InsertResult => {
    if (documents.has(document._id)) return 'duplicate';
    documents.set(document._id, structuredClone(document));
    return 'inserted';
  };
  const store = fakeOf<DocumentStore>({
    insertMany: (_collection, batch) => {
      inserts.push(batch.length);
      return batch.some(isInvalid)
        ? Promise.reject(new PortError('invalid', 'document-store.insertMany', 'refused content'))
        : Promise.resolve(batch.map(insert));
    },
    findByIds: (_collection, ids) => {
      lookups.push(ids);
      return Promise.resolve(ids.map((id) => structuredClone(documents.get(id))));
    },
    ensureCollections: () => Promise.resolve(),
  });
  return { store, documents, inserts, lookups };
}

/** An event log in memory, with all that was ever appended. */
export function fakeLog(): { readonly log: EventLog; readonly records: NewRecord[] } {
  const records: NewRecord[] = [];
  const log = fakeOf<EventLog>({
    append: (batch) => {
      records.push(...batch);
      return Promise.resolve();
    },
    ensureTopics: () => Promise.resolve([]),
  });
  return { log, records };
}

/** An event store out of fakes: first the documents, then the log, as with services that know nothing of each other. */
export function fakeEvents(documents: DocumentStore, log: EventLog): EventStore {
  return new ComposedEventStore(documents, log);
}
