import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EmbeddedDatabase } from '../../runtime/adapters/embedded/database.ts';
import { EmbeddedDocumentStore } from '../../runtime/adapters/embedded/document-store.ts';
import { EmbeddedEventLog } from '../../runtime/adapters/embedded/event-log.ts';
import { LONG_TERM_STORAGE } from '../../runtime/domain-kit/event.ts';
import type { DocumentStore } from '../../runtime/ports/document-store.ts';
import type { EventLog } from '../../runtime/ports/event-log.ts';

/** A document store and a log that know nothing of each other, as services do, on disk. */
export class ComposedStores {
  documents: DocumentStore;
  log: EventLog;
  readonly #directory: string;
  #database: EmbeddedDatabase;

  private constructor(directory: string, database: EmbeddedDatabase) {
    this.#directory = directory;
    this.#database = database;
    this.documents = new EmbeddedDocumentStore(database);
    this.log = new EmbeddedEventLog(database);
  }

  static async open(): Promise<ComposedStores> {
    const directory = await mkdtemp(path.join(tmpdir(), 'mini-platform-composed-'));
    const stores = new ComposedStores(directory, await EmbeddedDatabase.open(directory));
    await stores.log.ensureTopics([{ name: LONG_TERM_STORAGE, partitions: 4, compacted: false }]);
    return stores;
  }

  /** Opens the same data again, as after a restart. */
  async reopen(): Promise<void> {
    await this.#database.close();
    this.#database = await EmbeddedDatabase.open(this.#directory);
    this.documents = new EmbeddedDocumentStore(this.#database);
    this.log = new EmbeddedEventLog(this.#database);
  }

  /** Ids of all events in `long_term_storage`, as often as they are there, in order. */
  async published(): Promise<readonly string[]> {
    const ids: string[] = [];
    for (const { partition, start, end } of await this.log.ranges(LONG_TERM_STORAGE)) {
      for (let from = start; from < end;) {
        const batch = { topic: LONG_TERM_STORAGE, partition, from, maxRecords: 10_000 };
        const records = await this.log.read(batch);
        ids.push(...records.map(({ value }) => idIn(value)));
        from = (records.at(-1)?.offset ?? end) + 1n;
      }
    }
    return ids.sort();
  }

  async close(): Promise<void> {
    await this.#database.close();
    await rm(this.#directory, { recursive: true });
  }
}

function idIn(value: Uint8Array | null): string {
  const { id } = JSON.parse(Buffer.from(value ?? []).toString()) as { id: string };
  return id;
}
