import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedDatabase } from '../../runtime/adapters/embedded/database.ts';
import { EmbeddedDocumentStore } from '../../runtime/adapters/embedded/document-store.ts';
import { EmbeddedEventLog } from '../../runtime/adapters/embedded/event-log.ts';
import { EmbeddedEventStore } from '../../runtime/adapters/embedded/event-store.ts';
import { EmbeddedObjectStore } from '../../runtime/adapters/embedded/object-store.ts';
import { StateDirectory, StateDirectoryError } from '../../runtime/adapters/embedded/state-directory.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { guardPort } from '../../runtime/port-guard.ts';
import type { Cache } from '../../runtime/ports/cache.ts';
import type { DocumentStore } from '../../runtime/ports/document-store.ts';
import type { EventLog } from '../../runtime/ports/event-log.ts';
import type { EventStore } from '../../runtime/ports/event-store.ts';
import type { ObjectStore } from '../../runtime/ports/object-store.ts';
import { CommandError } from '../command-error.ts';

/** The ports of the embedded stores. */
export interface StorePorts {
  readonly events: EventStore;
  readonly documents: DocumentStore;
  readonly log: EventLog;
  readonly cache: Cache;
  readonly objects: ObjectStore;
}

/** The embedded stores of one platform, every call timed, bounded and measured. */
export interface Stores extends StorePorts {
  /** Folder of the files. */
  readonly directory: string;
  close(): Promise<void>;
}

export interface StoresOptions {
  /** Folder in which each platform has one of its own. */
  readonly base: string;
  readonly name: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Puts others in their place, beneath what times and bounds the calls: slow ones, or ones that fail. */
  readonly wrap?: ((ports: StorePorts) => StorePorts) | undefined;
}

const CALL_TIMEOUT_MS = 4_000;

/** Opens the stores of a platform, or makes them. Throws a CommandError when the folder cannot be used. */
export async function openStores(options: StoresOptions): Promise<Stores> {
  const { base, name, clock, metrics, wrap = (ports: StorePorts) => ports } = options;
  const state = await openState(base, name);
  try {
    const database = await EmbeddedDatabase.open(state.path);
    const objects = await EmbeddedObjectStore.open(path.join(state.path, 'objects'));
    const guard = <P extends object>(port: P, portName: string): P =>
      guardPort(port, { name: portName, timeoutMs: CALL_TIMEOUT_MS, clock, metrics });
    const documents = new EmbeddedDocumentStore(database);
    const log = new EmbeddedEventLog(database, {});
    const cache = new EmbeddedCache(new CacheData(() => clock.now()));
    const events = new EmbeddedEventStore(database, () => clock.now());
    const ports = wrap({ events, documents, log, cache, objects });
    return {
      events: guard(ports.events, 'event-store'),
      documents: guard(ports.documents, 'document-store'),
      log: guard(ports.log, 'event-log'),
      cache: guard(ports.cache, 'cache'),
      objects: guard(ports.objects, 'object-store'),
      directory: state.path,
      async close() {
        await log.close();
        await documents.close();
        await cache.close();
        await objects.close();
        await database.close();
        await state.close();
      },
    };
  } catch (error) {
    await state.close();
    throw error;
  }
}

async function openState(base: string, name: string): Promise<StateDirectory> {
  try {
    return await StateDirectory.open(base, name);
  } catch (error) {
    if (error instanceof StateDirectoryError) {
      throw new CommandError(`${error.message} (--state-dir)`, 1, { cause: error });
    }
    throw error;
  }
}

/**
 * Puts the files of a folder, `<bucket>/<key>`, into the object store where they are absent; resolves to how
 * many were put.
 */
export async function seedObjects(objects: ObjectStore, folder: string): Promise<number> {
  let files: readonly string[];
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  } catch (error) {
    throw new CommandError(`The seed folder ${folder} cannot be read: ${String(error)}`, 1, { cause: error });
  }
  let put = 0;
  for (const file of files) {
    const [bucket, ...key] = path.relative(folder, file).split(path.sep);
    if (bucket === undefined || key.length === 0) continue;
    await objects.ensureBuckets([bucket]);
    const result = await objects.put(bucket, key.join('/'), await readFile(file), { ifAbsent: true });
    if (result.outcome === 'stored') put += 1;
  }
  return put;
}
