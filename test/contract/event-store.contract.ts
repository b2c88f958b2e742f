import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DocumentStore } from '../../runtime/ports/document-store.ts';
import type { EventLog } from '../../runtime/ports/event-log.ts';
import type { EventStore, NewEvent } from '../../runtime/ports/event-store.ts';
import { expectPortError, unique } from './waiting.ts';

/** An adapter under test, with the document store and the log that it writes to. */
export interface EventStoreHarness {
  readonly events: EventStore;
  readonly documents: DocumentStore;
  readonly log: EventLog;
  /** Closes everything in this process, and opens it again on the same data. */
  reopen(): Promise<void>;
  dispose(): Promise<void>;
}

/** Runs the event store's contract on an adapter. */
export function describeEventStore(name: string, open: () => Promise<EventStoreHarness>): void {
  describe(`event store: ${name}`, () => {
    let harness: EventStoreHarness;
    let collection: string;
    let topic: string;

    const event = (id: string, text = id): NewEvent => ({
      document: { _id: id, text, clients: ['ann'], at: 1 },
      record: { topic, key: id, value: Buffer.from(text) },
    });

    const logged = async (): Promise<readonly string[]> => {
      const texts: string[] = [];
      for (const { partition, start } of await harness.log.ranges(topic)) {
        const records = await harness.log.read({ topic, partition, from: start, maxRecords: 10_000 });
        texts.push(...records.map(({ value }) => Buffer.from(value ?? []).toString()));
      }
      return texts.sort();
    };

    const stored = async (...ids: readonly string[]): Promise<readonly unknown[]> =>
      (await harness.documents.findByIds(collection, ids)).map((document) => document?.['text']);

    beforeEach(async () => {
      harness = await open();
      collection = unique('events');
      topic = unique('topic');
      const fields = [
        { field: 'clients', direction: 'ascending' },
        { field: 'at', direction: 'descending' },
      ] as const;
      await harness.documents.ensureCollections([
        { name: collection, indexes: [{ name: 'by_client', fields }] },
      ]);
      await harness.log.ensureTopics([{ name: topic, partitions: 3, compacted: false }]);
    });

    afterEach(() => harness.dispose());

    test('stores every document, finds it by its index, and publishes its record', async () => {
      expect(await harness.events.insertAndAppend(collection, [event('a'), event('b')])).toEqual([
        'inserted',
        'inserted',
      ]);
      expect(await stored('a', 'b')).toEqual(['a', 'b']);
      const found = await harness.documents.find(collection, {
        index: 'by_client',
        equals: ['ann'],
        limit: 10,
      });
      expect(found).toHaveLength(2);
      expect(await logged()).toEqual(['a', 'b']);
    });

    test('leaves a duplicate as it was and publishes nothing for it, within and across calls', async () => {
      await harness.events.insertAndAppend(collection, [event('a')]);
      const again = [event('b'), event('a', 'other'), event('b', 'twin'), event('c')];
      expect(await harness.events.insertAndAppend(collection, again)).toEqual([
        'inserted',
        'duplicate',
        'duplicate',
        'inserted',
      ]);
      expect(await stored('a', 'b', 'c')).toEqual(['a', 'b', 'c']);
      expect(await logged()).toEqual(['a', 'b', 'c']);
    });

    test('publishes nothing for documents without a record', async () => {
      const silent = { document: { _id: 's', text: 's' }, record: undefined };
      await harness.events.insertAndAppend(collection, [event('a')]);
      const mixed = [silent, event('a', 'other'), event('b'), silent];
      expect(await harness.events.insertAndAppend(collection, mixed)).toEqual([
        'inserted',
        'duplicate',
        'inserted',
        'duplicate',
      ]);
      expect(await harness.events.insertAndAppend(collection, [silent])).toEqual(['duplicate']);
      expect(await stored('s', 'b')).toEqual(['s', 'b']);
      expect(await logged()).toEqual(['a', 'b']);
    });

    test('of calls with one id at the same time exactly one inserts, and one record is published', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          harness.events.insertAndAppend(collection, [event('a', `${index}`)]),
        ),
      );
      const winner = results.findIndex(([result]) => result === 'inserted');
      expect(results.filter(([result]) => result === 'inserted')).toHaveLength(1);
      expect(await stored('a')).toEqual([`${winner}`]);
      expect(await logged()).toEqual([`${winner}`]);
    });

    test('an invalid document refuses its call as a whole and no other', async () => {
      const invalid = { document: { _id: 'x', text: Number.NaN }, record: undefined };
      const [good, bad] = await Promise.allSettled([
        harness.events.insertAndAppend(collection, [event('a')]),
        harness.events.insertAndAppend(collection, [event('b'), invalid]),
      ]);
      expect(good.status).toBe('fulfilled');
      expect(bad).toMatchObject({ status: 'rejected', reason: { kind: 'invalid' } });
      expect(await stored('a', 'b', 'x')).toEqual(['a', undefined, undefined]);
      expect(await logged()).toEqual(['a']);
    });

    test('a record that the log refuses is not reported as if nothing had been inserted, unless nothing was', async () => {
      const lost = {
        document: { _id: 'a', text: 'a' },
        record: { topic: unique('absent'), key: 'a', value: null },
      };
      const outcome = await harness.events
        .insertAndAppend(collection, [lost])
        .catch((error: unknown) => error);
      expect(outcome).toMatchObject({ name: 'PortError' });
      const [document] = await stored('a');
      if (document !== undefined) expect(outcome).not.toMatchObject({ kind: 'invalid' });
    });

    test('takes 1,000 events and none', async () => {
      const many = Array.from({ length: 1_000 }, (_, index) => event(`id-${index}`));
      expect(new Set(await harness.events.insertAndAppend(collection, many))).toEqual(new Set(['inserted']));
      expect(await harness.events.insertAndAppend(collection, [])).toEqual([]);
      expect(await logged()).toHaveLength(1_000);
    });

    test('what it has answered is there after a restart, in both', async () => {
      await harness.events.insertAndAppend(collection, [event('a'), event('b')]);
      await harness.reopen();
      expect(await stored('a', 'b')).toEqual(['a', 'b']);
      expect(await logged()).toEqual(['a', 'b']);
      expect(await harness.events.insertAndAppend(collection, [event('a')])).toEqual(['duplicate']);
    });

    test('rejects with closed when it has been closed', async () => {
      const { events } = harness;
      await harness.reopen();
      await expectPortError(events.insertAndAppend(collection, [event('a')]), 'closed');
    });
  });
}
