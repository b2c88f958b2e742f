import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { ComposedEventStore } from '../../runtime/adapters/composed/event-store.ts';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { StaticDispatcherDirectory } from '../../runtime/adapters/static/membership.ts';
import { systemClock } from '../../runtime/clock.ts';
import { bank } from '../../runtime/domains/bank/index.ts';
import { collections } from '../../runtime/domains/bank/store.ts';
import { DEFAULT_LIMITS } from '../../runtime/link/protocol.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import type { StoredDocument } from '../../runtime/ports/document-store.ts';
import type { EventStore } from '../../runtime/ports/event-store.ts';
import { watermarkIn, WATERMARKS } from '../../runtime/roles/worker/publishing/watermark.ts';
import { Worker } from '../../runtime/roles/worker/worker.ts';
import { ComposedStores } from '../helpers/composed-stores.ts';
import { fakeOf } from '../helpers/fakes.ts';

let stores: ComposedStores;

beforeEach(async () => {
  stores = await ComposedStores.open();
});

afterEach(() => stores.close());

function bankWorker(events: EventStore): Worker {
  const { documents, log } = stores;
  return new Worker({
    uid: 'worker',
    domains: [bank],
    ports: { events, documents, log, cache: new EmbeddedCache(new CacheData()) },
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
}

function watermarks(): Promise<readonly StoredDocument[]> {
  return stores.documents.findByIdRange(WATERMARKS, { from: '', to: '\x7f', limit: 10 });
}

test('a worker whose store and log are two has a watermark while it runs, for all events of its domains', async () => {
  const worker = bankWorker(new ComposedEventStore(stores.documents, stores.log));
  await worker.start();
  const [found] = (await watermarks()).map(watermarkIn);
  expect(found?.sources).toEqual([
    { operation: 'bank.transaction', collection: 'bank_transactions' },
    { operation: 'bank.operation', collection: 'bank_operations' },
  ]);
  await worker.stop(5_000);
  expect(await watermarks()).toEqual([]);
});

test('its events are found by their worker, also those of before there was an index for it', async () => {
  await stores.documents.ensureCollections(collections);
  const document = { _id: 'old', bootId: 'gone', at: 1 };
  for (const { name } of collections) await stores.documents.insertMany(name, [document]);
  const worker = bankWorker(new ComposedEventStore(stores.documents, stores.log));
  await worker.start();
  for (const { name } of collections) {
    const query = { index: 'by_boot', equals: ['gone'], limit: 10 };
    expect(await stores.documents.find(name, query)).toEqual([document]);
  }
  await worker.stop(5_000);
});

test('a worker whose event store is atomic has no watermark, nor an index for it', async () => {
  const worker = bankWorker(fakeOf<EventStore>({ atomic: true }));
  await worker.start();
  await expect(watermarks()).rejects.toMatchObject({ kind: 'invalid' });
  const query = { index: 'by_boot', equals: ['gone'], limit: 10 };
  for (const { name } of collections) {
    await expect(stores.documents.find(name, query)).rejects.toMatchObject({ kind: 'invalid' });
  }
  await worker.stop(5_000);
});
