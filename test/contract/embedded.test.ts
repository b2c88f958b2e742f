import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ComposedEventStore } from '../../runtime/adapters/composed/event-store.ts';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { EmbeddedDatabase } from '../../runtime/adapters/embedded/database.ts';
import { EmbeddedDocumentStore } from '../../runtime/adapters/embedded/document-store.ts';
import { EmbeddedEventLog } from '../../runtime/adapters/embedded/event-log.ts';
import { EmbeddedEventStore } from '../../runtime/adapters/embedded/event-store.ts';
import { EmbeddedMembership } from '../../runtime/adapters/embedded/membership.ts';
import { EmbeddedObjectStore } from '../../runtime/adapters/embedded/object-store.ts';
import type { EventStore } from '../../runtime/ports/event-store.ts';
import { describeCache } from './cache.contract.ts';
import { describeEventStore, type EventStoreHarness } from './event-store.contract.ts';
import { describeDocumentStore } from './document-store.contract.ts';
import { describeEventLog } from './event-log.contract.ts';
import { describeMembership } from './membership.contract.ts';
import { describeObjectStore } from './object-store.contract.ts';
import { unique } from './waiting.ts';

const newDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'mini-platform-'));

describeDocumentStore('embedded', async () => {
  const directory = await newDirectory();
  let database = await EmbeddedDatabase.open(directory);
  return {
    store: new EmbeddedDocumentStore(database),
    reopen: async () => {
      await database.close();
      database = await EmbeddedDatabase.open(directory);
      return new EmbeddedDocumentStore(database);
    },
    dispose: async () => {
      await database.close();
      await rm(directory, { recursive: true });
    },
  };
});

describeEventLog('embedded', async () => {
  const directory = await newDirectory();
  let database = await EmbeddedDatabase.open(directory);
  let agedMs = 0;
  const options = { now: () => Date.now() + agedMs, retryPauseMs: 10 };
  let log = new EmbeddedEventLog(database, options);
  return {
    log,
    connect: () => Promise.resolve(new EmbeddedEventLog(database, options)),
    reopen: async () => {
      await log.close();
      await database.close();
      database = await EmbeddedDatabase.open(directory);
      log = new EmbeddedEventLog(database, options);
      return log;
    },
    expire: async () => {
      agedMs += 7 * 86_400_000;
      await log.purge();
    },
    dispose: async () => {
      await log.close();
      await database.close();
      await rm(directory, { recursive: true });
    },
  };
});

describeCache('embedded', () => {
  let now = 1_000_000;
  const data = new CacheData(() => now);
  const cache = new EmbeddedCache(data);
  return Promise.resolve({
    cache,
    connect: () => Promise.resolve(new EmbeddedCache(data)),
    flush: () => {
      data.flush();
      return Promise.resolve();
    },
    elapse: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
    failOver: () => {
      data.failOver();
      return Promise.resolve();
    },
    dispose: () => cache.close(),
  });
});

describeObjectStore('embedded', async () => {
  const directory = await newDirectory();
  const store = await EmbeddedObjectStore.open(directory);
  return {
    store,
    reopen: async () => {
      await store.close();
      return EmbeddedObjectStore.open(directory);
    },
    dispose: () => rm(directory, { recursive: true }),
  };
});

describeMembership('embedded', () => {
  const membership = new EmbeddedMembership();
  const withdrawals = new Map<string, () => void>();
  let port = 3_000;
  return Promise.resolve({
    members: membership.memberDirectory(),
    connect: () => Promise.resolve(membership.memberDirectory()),
    createWorker: () => {
      const uid = unique('worker');
      port += 1;
      membership.register(uid);
      return Promise.resolve({
        applicant: { uid, bootId: 'boot', port, token: '' },
        record: { uid, address: `127.0.0.1:${port}` },
      });
    },
    stranger: () => ({ uid: unique('stranger'), bootId: 'boot', port: 3_000, token: '' }),
    deleteWorker: (uid: string) => {
      membership.unregister(uid);
      return Promise.resolve();
    },
    worker: {
      uid: 'worker',
      dispatchers: membership.register('worker'),
      announce: (address: string) => {
        withdrawals.set(address, membership.announceDispatcher(address));
        return Promise.resolve();
      },
      withdraw: (address: string) => Promise.resolve(withdrawals.get(address)?.()),
    },
    dispose: () => Promise.resolve(),
  });
});

/** An event store on a database of its own. */
async function openEventStore(
  create: (database: EmbeddedDatabase, harness: Pick<EventStoreHarness, 'documents' | 'log'>) => EventStore,
): Promise<EventStoreHarness> {
  const directory = await newDirectory();
  let database = await EmbeddedDatabase.open(directory);
  const parts = (): Pick<EventStoreHarness, 'events' | 'documents' | 'log'> => {
    const documents = new EmbeddedDocumentStore(database);
    const log = new EmbeddedEventLog(database);
    return { documents, log, events: create(database, { documents, log }) };
  };
  let current = parts();
  return {
    get events() {
      return current.events;
    },
    get documents() {
      return current.documents;
    },
    get log() {
      return current.log;
    },
    reopen: async () => {
      await database.close();
      database = await EmbeddedDatabase.open(directory);
      current = parts();
    },
    dispose: async () => {
      await database.close();
      await rm(directory, { recursive: true });
    },
  };
}

describeEventStore('embedded', () => openEventStore((database) => new EmbeddedEventStore(database)));

describeEventStore('composed of an embedded store and log', () =>
  openEventStore((_, { documents, log }) => new ComposedEventStore(documents, log)),
);
