import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MongoClient } from 'mongodb';
import { ComposedEventStore } from '../../runtime/adapters/composed/event-store.ts';
import { EmbeddedDatabase } from '../../runtime/adapters/embedded/database.ts';
import { EmbeddedEventLog } from '../../runtime/adapters/embedded/event-log.ts';
import { KafkaEventLog } from '../../runtime/adapters/kafka/event-log.ts';
import { MongoDocumentStore } from '../../runtime/adapters/mongodb/document-store.ts';
import { pageQueries } from '../../runtime/adapters/mongodb/page-query.ts';
import type { DocumentValue, IndexSpec, StoredDocument } from '../../runtime/ports/document-store.ts';
import type { EventLog } from '../../runtime/ports/event-log.ts';
import { testEndpoint } from '../services/endpoints.ts';
import { describeDocumentStore } from './document-store.contract.ts';
import { describeEventStore, type EventStoreHarness } from './event-store.contract.ts';
import { kafkaOptions } from './kafka-options.ts';
import { mongoOptions } from './mongodb-options.ts';
import { unique } from './waiting.ts';

const mongodb = testEndpoint('mongodb');
const kafka = testEndpoint('kafka');

const BY_CLIENT: IndexSpec = {
  name: 'by_client',
  fields: [
    { field: 'clients', direction: 'ascending' },
    { field: 'at', direction: 'descending' },
  ],
};

if (mongodb.ok) {
  const { uri } = mongodb;
  describeDocumentStore('MongoDB', () => {
    const options = mongoOptions(uri);
    let store = new MongoDocumentStore(options);
    return Promise.resolve({
      store,
      reopen: async () => {
        await store.close();
        store = new MongoDocumentStore(options);
        return store;
      },
      dispose: () => store.close(),
    });
  });

  describeEventStore('composed of MongoDB and an embedded log', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mini-platform-'));
    let database = await EmbeddedDatabase.open(directory);
    return openEventStore(uri, {
      open: () => new EmbeddedEventLog(database),
      reopen: async () => {
        await database.close();
        database = await EmbeddedDatabase.open(directory);
      },
      dispose: async () => {
        await database.close();
        await rm(directory, { recursive: true });
      },
    });
  });

  if (kafka.ok) {
    describeEventStore('composed of MongoDB and Kafka', () => {
      const options = kafkaOptions(kafka.brokers);
      return Promise.resolve(
        openEventStore(uri, {
          open: () => new KafkaEventLog(options),
          reopen: () => Promise.resolve(),
          dispose: () => Promise.resolve(),
        }),
      );
    });
  } else {
    describe.skip(`event store: composed of MongoDB and Kafka (${kafka.reason})`, () => test('', () => {}));
  }

  await describeMongo(uri);
} else {
  describe.skip(`document store: MongoDB (${mongodb.reason})`, () => test('', () => {}));
}

/** What the contract leaves to each adapter. */
async function describeMongo(uri: string): Promise<void> {
  const client = await new MongoClient(uri, { appName: 'contract' }).connect();
  const isFerretDb = 'ferretdb' in (await client.db('admin').command({ buildInfo: 1 }));
  await client.close();

  describe('document store: MongoDB, beyond its contract', () => {
    const options = mongoOptions(uri);
    let store: MongoDocumentStore;

    beforeAll(async () => {
      store = new MongoDocumentStore(options);
      await store.ensureCollections([{ name: 'events', indexes: [BY_CLIENT] }]);
    });

    afterAll(() => store.close());

    test('workers that start at once all ensure the same collections', async () => {
      const specs = [unique('one'), unique('two')].map((name) => ({ name, indexes: [BY_CLIENT] }));
      const stores = Array.from({ length: 8 }, () => new MongoDocumentStore(options));
      await Promise.all(stores.map((each) => each.ensureCollections(specs)));
      await Promise.all(stores.map((each) => each.close()));
      expect(await store.insertMany(specs[1]?.name ?? '', [{ _id: 'a' }])).toEqual(['inserted']);
    });

    test('an index that exists with other fields is invalid', async () => {
      const other = { ...BY_CLIENT, fields: BY_CLIENT.fields.toReversed() };
      await expect(store.ensureCollections([{ name: 'events', indexes: [other] }])).rejects.toMatchObject({
        kind: 'invalid',
      });
    });

    test('a collection that does not exist is invalid', async () => {
      const none = unique('none');
      await expect(store.insertMany(none, [{ _id: 'a' }])).rejects.toMatchObject({ kind: 'invalid' });
      await expect(store.findByIds(none, ['a'])).rejects.toMatchObject({ kind: 'invalid' });
      await expect(store.remove(none, ['a'])).rejects.toMatchObject({ kind: 'invalid' });
    });

    test('documents of any Unicode and any numbers come back equal, by id and by index', async () => {
      const text = fc.string({ unit: 'binary' });
      const { tree } = fc.letrec<{ tree: DocumentValue }>((tie) => ({
        tree: fc.oneof(
          { depthSize: 'small' },
          text,
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.maxSafeInteger(),
          fc.boolean(),
          fc.constant(null),
          fc.array(tie('tree'), { maxLength: 4 }),
          fc.dictionary(fc.stringMatching(/^[a-z.é漢]{0,5}$/), tie('tree'), { maxKeys: 4 }),
        ),
      }));
      const property = fc.asyncProperty(
        text,
        text,
        fc.maxSafeInteger(),
        tree,
        async (tail, name, at, content) => {
          const client = unique('client') + name;
          const document = { _id: unique('any') + tail, clients: [client], at, content };
          expect(await store.insertMany('events', [document])).toEqual(['inserted']);
          expect(await store.findByIds('events', [document._id])).toEqual([document]);
          const page = { index: 'by_client', equals: [client, at], limit: 2 };
          expect(await store.find('events', page)).toEqual([document]);
        },
      );
      await fc.assert(property, { numRuns: 50 });
    });

    test('walks on from numbers to texts', async () => {
      const client = unique('mixed');
      const values = ['b', 7, 'a', 5, 6];
      await store.insertMany(
        'events',
        values.map((at) => ({ _id: unique('m'), clients: [client], at })),
      );
      const page = { index: 'by_client', equals: [client], limit: 1 };
      const walked: unknown[] = [];
      let [found] = await store.find('events', page);
      while (found !== undefined) {
        const at = found['at'] as string | number;
        walked.push(at);
        [found] = await store.find('events', { ...page, after: { values: [at], id: found._id } });
      }
      expect(walked).toEqual(['b', 'a', 7, 6, 5]);
    });

    test('takes 40 MB in a call', async () => {
      const text = 'x'.repeat(1_000_000);
      const documents = Array.from({ length: 40 }, () => ({ _id: unique('large'), text }));
      const results = await store.insertMany('events', documents);
      expect(new Set(results)).toEqual(new Set(['inserted']));
      await store.remove(
        'events',
        documents.map(({ _id }) => _id),
      );
    });

    const onMongoDb = isFerretDb ? test.skip : test;
    const why = isFerretDb ? ' (FerretDB sorts all matches, so it is not seen there)' : '';
    onMongoDb(`the pages of a query are walked in the index, without a sort${why}`, async () => {
      const raw = await new MongoClient(uri).connect();
      const after = { values: [7], id: 'i' };
      const page = { index: 'by_client', equals: ['ann'], limit: 10 };
      const queries = [page, { ...page, after }].flatMap((each) =>
        pageQueries('find', BY_CLIENT.fields, each),
      );
      for (const { filter, sort } of queries) {
        const collection = raw.db(options.database).collection<StoredDocument>('events');
        const plan = await collection.find(filter, { hint: 'by_client' }).sort(sort).explain('queryPlanner');
        const winning = JSON.stringify((plan['queryPlanner'] as Record<string, unknown>)['winningPlan']);
        expect(winning).toContain('"indexName":"by_client"');
        expect(winning).not.toContain('"stage":"SORT"');
      }
      await raw.close();
    });
  });
}

interface LogHarness {
  open(): EventLog;
  reopen(): Promise<void>;
  dispose(): Promise<void>;
}

function openEventStore(uri: string, logs: LogHarness): EventStoreHarness {
  const options = mongoOptions(uri);
  const parts = (): Pick<EventStoreHarness, 'events' | 'documents' | 'log'> => {
    const documents = new MongoDocumentStore(options);
    const log = logs.open();
    return { documents, log, events: new ComposedEventStore(documents, log) };
  };
  let current = parts();
  const close = async (): Promise<void> => {
    await current.documents.close();
    await current.log.close();
  };
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
      await close();
      await logs.reopen();
      current = parts();
    },
    dispose: async () => {
      await close();
      await logs.dispose();
    },
  };
}
