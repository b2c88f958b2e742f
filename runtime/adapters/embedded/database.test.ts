import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedDatabase } from './database.ts';
import { EmbeddedDocumentStore } from './document-store.ts';
import { EmbeddedEventLog } from './event-log.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mini-platform-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe('opening', () => {
  test('makes a database in WAL mode', async () => {
    const database = await EmbeddedDatabase.open(directory);
    await database.close();
    const file = new DatabaseSync(join(directory, 'data.db'), { readOnly: true });
    expect(file.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    file.close();
  });

  test('a file that is no database is unavailable, with its path', async () => {
    await writeFile(join(directory, 'data.db'), 'not a database'.repeat(1_000));
    await expect(EmbeddedDatabase.open(directory)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining(join(directory, 'data.db')),
    });
  });

  test('a directory in the way is unavailable', async () => {
    await mkdir(join(directory, 'data.db'));
    await expect(EmbeddedDatabase.open(directory)).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('a document store and a log on one database', () => {
  let database: EmbeddedDatabase;
  let store: EmbeddedDocumentStore;
  let log: EmbeddedEventLog;

  beforeEach(async () => {
    database = await EmbeddedDatabase.open(directory);
    store = new EmbeddedDocumentStore(database);
    log = new EmbeddedEventLog(database);
    await store.ensureCollections([{ name: 'events', indexes: [] }]);
    await log.ensureTopics([{ name: 'events', partitions: 1, compacted: false }]);
  });

  afterEach(async () => {
    await log.close();
    await database.close();
  });

  test('a request that is refused does not harm those of the same commit', async () => {
    const record = { topic: 'events', key: 'key', value: Buffer.from('value') };
    const [refusedInsert, inserted, refusedAppend, appended, again] = await Promise.allSettled([
      store.insertMany('none', [{ _id: 'a' }]),
      store.insertMany('events', [{ _id: 'a' }]),
      log.append([record, { ...record, topic: 'none' }]),
      log.append([record]),
      store.insertMany('events', [{ _id: 'a' }, { _id: 'b' }]),
    ]);
    expect(refusedInsert).toMatchObject({ status: 'rejected', reason: { kind: 'invalid' } });
    expect(inserted).toEqual({ status: 'fulfilled', value: ['inserted'] });
    expect(refusedAppend).toMatchObject({ status: 'rejected', reason: { kind: 'invalid' } });
    expect(appended).toMatchObject({ status: 'fulfilled' });
    expect(again).toEqual({ status: 'fulfilled', value: ['duplicate', 'inserted'] });
    expect(await log.ranges('events')).toEqual([{ partition: 0, start: 0n, end: 1n }]);
  });

  test('a consumer is told of what was appended beside a refused request', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const subscription = await log.subscribe({
      group: 'group',
      topics: ['events'],
      onBatch: ({ records }) => {
        resolve(String(records[0]?.key));
        return Promise.resolve();
      },
      onError: () => {},
    });
    const refused = store.insertMany('none', [{ _id: 'a' }]);
    await log.append([{ topic: 'events', key: 'told', value: null }]);
    await expect(refused).rejects.toMatchObject({ kind: 'invalid' });
    expect(await promise).toBe('told');
    await subscription.close();
  });

  test('closing a port leaves the database open; closing the database closes the ports', async () => {
    await store.close();
    await log.append([{ topic: 'events', key: null, value: null }]);
    await database.close();
    await expect(log.append([{ topic: 'events', key: null, value: null }])).rejects.toMatchObject({
      kind: 'closed',
    });
  });
});
