import path from 'node:path';
import { EmbeddedCache } from '../adapters/embedded/cache.ts';
import { CacheData } from '../adapters/embedded/cache-data.ts';
import { EmbeddedDatabase } from '../adapters/embedded/database.ts';
import { EmbeddedDocumentStore } from '../adapters/embedded/document-store.ts';
import { EmbeddedEventLog } from '../adapters/embedded/event-log.ts';
import { EmbeddedEventStore } from '../adapters/embedded/event-store.ts';
import { EmbeddedObjectStore } from '../adapters/embedded/object-store.ts';
import { StateDirectory } from '../adapters/embedded/state-directory.ts';
import type { Clock } from '../clock.ts';
import type { StoreConfigs } from '../config/stores.ts';
import type { Logger } from '../logging.ts';
import type { Metrics } from '../metrics.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { StoreTitles } from '../service-wait.ts';
import { openServices, type ServicePorts, type Waiting } from './services.ts';
import { composedEvents, guardStores, type StorePorts } from './store-ports.ts';

/** The stores of one platform, every call timed, bounded and measured. */
export interface Stores extends StorePorts {
  /** Folder of the embedded stores' files; undefined when every store with files is a service. */
  readonly directory: string | undefined;
  readonly titles: StoreTitles;
  /** Where the services are, as `Kafka at kafka.example:9092`; a store that is absent is embedded. */
  readonly places: Partial<StoreTitles>;
  /** Services that cannot be used now, as far as it is known. */
  waitsFor(): readonly Waiting[];
  close(): Promise<void>;
}

export interface StoresOptions {
  /** Folder in which each platform has one of its own. */
  readonly base: string;
  readonly name: string;
  /** The services; a store that is not among them is embedded. */
  readonly services?: Partial<StoreConfigs>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Puts others in their place, beneath what times and bounds the calls: slow ones, or ones that fail. */
  readonly wrap?: ((ports: StorePorts) => StorePorts) | undefined;
}

interface Closable {
  close(): Promise<void>;
}

/** Takes note of an embedded store that was made, so that it is closed. */
type Own = <T extends Closable>(store: T) => T;

/**
 * Opens the stores of a platform, or makes them: services where they are named, embedded ones in their place
 * otherwise. Services are not reached for yet. Rejects with a StateDirectoryError when the folder cannot be used, and
 * with a SetupError when a file with a secret cannot.
 */
export async function openStores(options: StoresOptions): Promise<Stores> {
  const { base, name, services: sections = {}, wrap = (ports: StorePorts) => ports } = options;
  const services = await openServices(sections, { ...options, clientName: `mini-platform-${name}` });
  const owned: Closable[] = [services];
  // What was made last is closed first.
  const close = async (): Promise<void> => {
    for (const store of owned.reverse()) await store.close();
  };
  try {
    const own: Own = (store) => {
      owned.push(store);
      return store;
    };
    const state = hasFiles(services.ports) ? own(await StateDirectory.open(base, name)) : undefined;
    const ports = wrap(await embed(services.ports, state, { own, options }));
    const { titles, places } = services;
    const waitsFor = (): readonly Waiting[] => services.waitsFor();
    return { ...guardStores(ports, options), directory: state?.path, titles, places, waitsFor, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whether an embedded store with files takes the place of a service that is not named. */
function hasFiles({ log, documents, objects }: ServicePorts): boolean {
  return log === undefined || documents === undefined || objects === undefined;
}

interface Embedding {
  readonly own: Own;
  readonly options: StoresOptions;
}

async function embed(
  services: ServicePorts,
  state: StateDirectory | undefined,
  { own, options }: Embedding,
): Promise<StorePorts> {
  const { clock } = options;
  const database = await embedDatabase(services, state, { own, options });
  const { cache = own(new EmbeddedCache(new CacheData(() => clock.now()))) } = services;
  const { objects = own(await EmbeddedObjectStore.open(pathIn(state, 'objects'))) } = services;
  return { ...database, cache, objects };
}

/** Log and documents share a file where both are embedded: then one transaction stores an event and publishes it. */
async function embedDatabase(
  services: ServicePorts,
  state: StateDirectory | undefined,
  { own, options }: Embedding,
): Promise<Pick<StorePorts, 'events' | 'documents' | 'log'>> {
  if (services.log !== undefined && services.documents !== undefined) {
    const { log, documents } = services;
    return { log, documents, events: composedEvents({ log, documents }, options) };
  }
  const database = own(await EmbeddedDatabase.open(pathIn(state, '')));
  const { documents = own(new EmbeddedDocumentStore(database)) } = services;
  const { log = own(new EmbeddedEventLog(database, {})) } = services;
  const isWhole = services.log === undefined && services.documents === undefined;
  const events: EventStore = isWhole
    ? new EmbeddedEventStore(database, () => options.clock.now())
    : composedEvents({ log, documents }, options);
  return { documents, log, events };
}

function pathIn(state: StateDirectory | undefined, name: string): string {
  if (state === undefined) throw new Error('an embedded store needs a folder');
  return path.join(state.path, name);
}
