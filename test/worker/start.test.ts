import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { ComposedEventStore } from '../../runtime/adapters/composed/event-store.ts';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { StaticDispatcherDirectory } from '../../runtime/adapters/static/membership.ts';
import { systemClock } from '../../runtime/clock.ts';
import { bank } from '../../runtime/domains/bank/index.ts';
import { DEFAULT_LIMITS } from '../../runtime/link/protocol.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { Worker } from '../../runtime/roles/worker/worker.ts';
import { STORE_TITLES } from '../../runtime/service-wait.ts';
import { ComposedStores } from '../helpers/composed-stores.ts';
import { eventually } from '../helpers/eventually.ts';
import { Faults } from '../helpers/fakes.ts';

let stores: ComposedStores;
let documents: Faults;
let log: Faults;
let cache: Faults;
let worker: Worker;

beforeEach(async () => {
  stores = await ComposedStores.open();
  documents = new Faults();
  log = new Faults();
  cache = new Faults();
  const ports = {
    documents: documents.wrap(stores.documents),
    log: log.wrap(stores.log),
    cache: cache.wrap(new EmbeddedCache(new CacheData())),
  };
  worker = new Worker({
    uid: 'worker',
    domains: [bank],
    ports: { ...ports, events: new ComposedEventStore(ports.documents, ports.log) },
    titles: { ...STORE_TITLES, documents: 'the document store (MongoDB at m:27017)' },
    directory: new StaticDispatcherDirectory('worker', []),
    host: '127.0.0.1',
    port: 0,
    serverCredentials: ServerCredentials.createInsecure(),
    channelCredentials: ChannelCredentials.createInsecure(),
    limits: DEFAULT_LIMITS,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    metrics: createMetrics(),
  });
});

afterEach(async () => {
  await worker.stop(5_000);
  await stores.close();
});

const away = new PortError('unavailable', 'document-store.connect', 'connection refused');

describe('a worker whose stores are away', () => {
  test('says which one it waits for, and goes on when it is there', async () => {
    documents.failAll('ensureCollections', away);
    cache.failAll('check', new PortError('timeout', 'cache.check', 'no answer'));
    const started = worker.start();
    const reason = await eventually('it waits for both', () => {
      const said = worker.readiness().reason;
      return said?.includes('; ') === true && said;
    });
    expect(reason.split('; ').sort()).toEqual([
      'waits for the cache: cache.check: no answer',
      'waits for the document store (MongoDB at m:27017): document-store.connect: connection refused',
    ]);
    expect(worker.readiness()).toMatchObject({ state: 'STARTING', ready: false });
    cache.mend('check');
    documents.mend('ensureCollections');
    await started;
    expect(worker.readiness()).toMatchObject({ state: 'JOINING', reason: 'no dispatcher is known yet' });
  });

  test('stops while it waits', async () => {
    log.failAll('ensureTopics', away);
    const started = worker.start();
    await eventually('it waits', () => worker.readiness().reason?.startsWith('waits for the event log'));
    await worker.stop(5_000);
    await started;
    expect(worker.readiness()).toEqual({ role: 'worker', state: 'STOPPED', ready: false, reason: 'leaving' });
  });
});

test.each(['refused', 'invalid'] as const)(
  'a store that answers with %s ends the start, though another one is away',
  async (kind) => {
    documents.failAll('ensureCollections', away);
    const error = new PortError(kind, 'event-log.ensureTopics', 'correct spec.kafka');
    log.failAll('ensureTopics', error);
    await expect(worker.start()).rejects.toBe(error);
    expect(worker.readiness()).toEqual({
      role: 'worker',
      state: 'STOPPED',
      ready: false,
      reason: 'event-log.ensureTopics: correct spec.kafka',
    });
  },
);
