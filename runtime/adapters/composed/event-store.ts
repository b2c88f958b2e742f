import type { DocumentStore, InsertResult } from '../../ports/document-store.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { EventStore, NewEvent } from '../../ports/event-store.ts';
import { PortError } from '../../ports/port-error.ts';

/** An event store out of a document store and a log that know nothing of each other: first one, then the other. */
export class ComposedEventStore implements EventStore {
  readonly atomic = false;
  readonly #documents: DocumentStore;
  readonly #log: EventLog;

  constructor(documents: DocumentStore, log: EventLog) {
    this.#documents = documents;
    this.#log = log;
  }

  async insertAndAppend(collection: string, events: readonly NewEvent[]): Promise<readonly InsertResult[]> {
    const results = await this.#documents.insertMany(
      collection,
      events.map(({ document }) => document),
    );
    const records = events
      .filter((_, place) => results[place] === 'inserted')
      .flatMap(({ record }) => record ?? []);
    if (records.length === 0) return results;
    try {
      await this.#log.append(records);
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      // `invalid` would say that nothing is inserted, and something is.
      const kind = error.kind === 'invalid' ? 'unavailable' : error.kind;
      throw new PortError(kind, 'event-log.append', error.message, { cause: error });
    }
    return results;
  }
}
