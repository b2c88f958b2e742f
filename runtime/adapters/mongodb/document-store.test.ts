import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Long } from 'mongodb';
import { eventually } from '../../../test/helpers/eventually.ts';
import {
  MongoWireServer,
  type WireCommand,
  type WireReply,
} from '../../../test/helpers/mongodb-wire-server.ts';
import type { PortError } from '../../ports/port-error.ts';
import { MongoDocumentStore } from './document-store.ts';

const WRITE_CONCERN = { w: 'majority', j: true, wtimeout: 2_500 };
const DUPLICATE = {
  code: 11000,
  errmsg: 'E11000 duplicate key error collection: d.events index: _id_ dup key: { _id: "b" }',
};
const THREE = ['a', 'b', 'c'].map((_id) => ({ _id }));

let server: MongoWireServer;
let stores: MongoDocumentStore[];
let told: string[];

const observer = {
  up: () => void told.push('up'),
  down: (error: PortError) => void told.push(`down ${error.kind}`),
  reconnected: () => void told.push('reconnected'),
  sent: (request: string, items: number) => void told.push(`${request} ${items}`),
};

function open(uri = server.uri, ca?: string): MongoDocumentStore {
  const options = {
    uri,
    database: 'd',
    appName: 'x'.repeat(300),
    observer,
    ...(ca === undefined ? {} : { ca }),
  };
  const store = new MongoDocumentStore(options);
  stores.push(store);
  return store;
}

/** An answer to a query; to `listIndexes` that of a collection without an index of its own. */
function cursor(...firstBatch: readonly object[]): WireReply {
  return { ok: 1, cursor: { id: Long.ZERO, ns: 'd.events', firstBatch } };
}

/** Answers commands of this name in turn, the last answer again and again; all others as a server does. */
function answer(name: string, ...replies: readonly WireReply[]): void {
  let next = 0;
  server.answer = (command: WireCommand) => {
    if (command.name === name) return replies[Math.min(next++, replies.length - 1)] ?? 'hang';
    const queries = ['listIndexes', 'listCollections', 'find'];
    return queries.includes(command.name) ? cursor() : { ok: 1, n: 1 };
  };
}

async function rejection(call: Promise<unknown>): Promise<PortError> {
  const [settled] = await Promise.allSettled([call]);
  if (settled.status === 'fulfilled') throw new Error('the call was to fail');
  expect(settled.reason).toMatchObject({ name: 'PortError' });
  return settled.reason as PortError;
}

beforeEach(async () => {
  server = await MongoWireServer.start();
  stores = [];
  told = [];
  answer('insert', { ok: 1, n: 3 });
});

afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await server.stop();
});

describe('durability', () => {
  const WEAK = 'w=1&journal=false&wtimeoutMS=1&readConcernLevel=local&readPreference=secondary';

  test('whatever the URI says, a majority acknowledges each write, from its journal', async () => {
    const store = open(`${server.uri}?${WEAK}`);
    await store.ensureCollections([
      { name: 'events', indexes: [{ name: 'by_x', fields: [{ field: 'x', direction: 'ascending' }] }] },
    ]);
    await store.insertMany('events', THREE);
    await store.replace('events', { _id: 'a' });
    await store.replaceIf('events', { _id: 'a' }, { x: 1 });
    await store.remove('events', ['a']);
    const writes = ['create', 'createIndexes', 'insert', 'update', 'delete'];
    const concerns = writes.flatMap((name) => server.named(name).map(({ body }) => body['writeConcern']));
    expect(concerns).toEqual(Array.from({ length: 6 }, () => WRITE_CONCERN));
  });

  test('whatever the URI says, reads see what a majority has', async () => {
    const store = open(`${server.uri}?${WEAK}`);
    await store.findByIds('events', ['a']);
    await store.findByIdRange('events', { from: 'a', to: 'b', limit: 1 });
    expect(server.named('find').map(({ body }) => [body['readConcern'], body['$readPreference']])).toEqual([
      [{ level: 'majority' }, undefined],
      [{ level: 'majority' }, undefined],
    ]);
  });

  const CONCERN_ERRORS = [
    { code: 64, codeName: 'WriteConcernTimeout', errmsg: 'waiting for replication timed out' },
    { code: 91, codeName: 'ShutdownInProgress', errmsg: 'the primary shuts down' },
    { code: 189, codeName: 'PrimarySteppedDown', errmsg: 'it is no primary any more' },
    { code: 100, codeName: 'UnsatisfiableWriteConcern', errmsg: 'not enough data-bearing nodes' },
  ];

  test.each(CONCERN_ERRORS)(
    'writeConcernError $codeName fails the whole batch',
    async (writeConcernError) => {
      answer('insert', { ok: 1, n: 3, writeConcernError });
      expect(await rejection(open().insertMany('events', THREE))).toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining(`${writeConcernError.code}`),
      });
    },
  );

  test.each(CONCERN_ERRORS)(
    '$codeName fails it also beside duplicates, which may not last',
    async (concern) => {
      answer('insert', {
        ok: 1,
        n: 2,
        writeErrors: [{ index: 1, ...DUPLICATE }],
        writeConcernError: concern,
      });
      expect(await rejection(open().insertMany('events', THREE))).toMatchObject({ kind: 'unavailable' });
    },
  );

  test('it fails a batch of duplicates only', async () => {
    const writeErrors = [0, 1, 2].map((index) => ({ index, ...DUPLICATE }));
    answer('insert', { ok: 1, n: 0, writeErrors, writeConcernError: CONCERN_ERRORS[0] });
    expect(await rejection(open().insertMany('events', THREE))).toMatchObject({ kind: 'unavailable' });
  });

  test.each([
    ['replace', 'update', (store: MongoDocumentStore) => store.replace('events', { _id: 'a' })],
    ['replaceIf', 'update', (store: MongoDocumentStore) => store.replaceIf('events', { _id: 'a' }, { x: 1 })],
    ['remove', 'delete', (store: MongoDocumentStore) => store.remove('events', ['a'])],
  ] as const)('it fails %s', async (_, command, call) => {
    answer(command, { ok: 1, n: 1, nModified: 1, writeConcernError: CONCERN_ERRORS[0] });
    expect(await rejection(call(open()))).toMatchObject({ kind: 'unavailable' });
  });

  test('an insert whose connection is lost is sent again under the number of the first', async () => {
    await server.stop();
    server = await MongoWireServer.start({ replicaSet: 'rs' });
    answer('insert', 'drop', { ok: 1, n: 3 });
    expect(await open().insertMany('events', THREE)).toEqual(['inserted', 'inserted', 'inserted']);
    const [first, second, ...more] = server.named('insert').map(({ body }) => body['txnNumber']);
    expect(first).toBeDefined();
    expect(second).toEqual(first);
    expect(more).toEqual([]);
  });
});

describe('outcomes of an insert', () => {
  test('each document has its own, duplicates by their places', async () => {
    answer('insert', { ok: 1, n: 1, writeErrors: [0, 2].map((index) => ({ index, ...DUPLICATE })) });
    expect(await open().insertMany('events', THREE)).toEqual(['duplicate', 'inserted', 'duplicate']);
  });

  test('it is unordered, one command, and counted', async () => {
    await open().insertMany('events', THREE);
    const [insert, ...more] = server.named('insert');
    expect(insert?.body).toMatchObject({ insert: 'events', ordered: false });
    expect(insert?.documents).toEqual(THREE);
    expect(more).toEqual([]);
    expect(told).toContain('insert 3');
  });

  test('a violation of a unique index that somebody added is no duplicate', async () => {
    const errmsg = 'E11000 duplicate key error collection: d.events index: x_1 dup key: { x: 1 }';
    answer('insert', { ok: 1, n: 2, writeErrors: [{ index: 1, code: 11000, errmsg }] });
    expect(await rejection(open().insertMany('events', THREE))).toMatchObject({ kind: 'unavailable' });
  });

  test('content that the server refuses beside documents that it took is not invalid', async () => {
    answer('insert', {
      ok: 1,
      n: 2,
      writeErrors: [{ index: 1, code: 121, errmsg: 'Document failed validation' }],
    });
    expect(await rejection(open().insertMany('events', THREE))).toMatchObject({ kind: 'unavailable' });
  });

  test.each([
    [
      'the only document',
      { ok: 1, n: 0, writeErrors: [{ index: 0, code: 121, errmsg: 'Document failed validation' }] },
    ],
    ['a whole command', { ok: 0, code: 2, codeName: 'BadValue', errmsg: 'not this' }],
  ])('content that the server refuses is invalid where nothing was inserted: %s', async (_, reply) => {
    answer('insert', reply);
    expect(await rejection(open().insertMany('events', [{ _id: 'a' }]))).toMatchObject({ kind: 'invalid' });
  });

  test('a server that cannot is not content that is refused', async () => {
    answer('insert', { ok: 1, n: 0, writeErrors: [{ index: 0, code: 10107, errmsg: 'not primary' }] });
    expect(await rejection(open().insertMany('events', [{ _id: 'a' }]))).toMatchObject({
      kind: 'unavailable',
    });
    answer('insert', { ok: 0, code: 10107, errmsg: 'not primary' });
    expect(await rejection(open().insertMany('events', [{ _id: 'a' }]))).toMatchObject({
      kind: 'unavailable',
    });
  });

  test('more bytes than one call takes are invalid, and nothing is sent', async () => {
    const text = 'x'.repeat(8_000_000);
    const documents = Array.from({ length: 7 }, (_, n) => ({ _id: `${n}`, text }));
    expect(await rejection(open().insertMany('events', documents))).toMatchObject({ kind: 'invalid' });
    expect(server.named('insert')).toEqual([]);
  });

  test('an array in a further field of an index is invalid, and nothing is sent', async () => {
    const index = { v: 2, name: 'by_x', key: { x: 1, at: -1, _id: -1 } };
    answer('listIndexes', cursor(index));
    const document = { _id: 'a', x: ['y'], at: [1] };
    expect(await rejection(open().insertMany('events', [{ _id: 'b' }, document]))).toMatchObject({
      kind: 'invalid',
    });
    expect(server.named('insert')).toEqual([]);
  });

  test('documents of two that replace a new one at once: the one that comes second tries again', async () => {
    answer(
      'update',
      { ok: 1, n: 0, writeErrors: [{ index: 0, ...DUPLICATE }] },
      { ok: 1, n: 1, nModified: 1 },
    );
    await open().replace('events', { _id: 'b' });
    expect(server.named('update')).toHaveLength(2);
  });
});

describe('reading', () => {
  test('a page is one command where it is not larger than one message', async () => {
    const fields = [{ field: 'x', direction: 'ascending' }] as const;
    answer('find', cursor({ _id: 'a', x: 1 }, { _id: 'b', x: 1 }));
    const store = open();
    await store.ensureCollections([{ name: 'events', indexes: [{ name: 'by_x', fields }] }]);
    server.commands.length = 0;
    expect(await store.find('events', { index: 'by_x', equals: [1], limit: 2 })).toHaveLength(2);
    expect(server.commands.map(({ name }) => name)).toEqual(['find']);
    expect(server.commands[0]?.body).toMatchObject({ hint: 'by_x', limit: 2, sort: { _id: 1 } });
  });

  test('an answer that would not fit is invalid, and its cursor is closed', async () => {
    const more = { ok: 1, cursor: { id: Long.fromNumber(7), ns: 'd.events', nextBatch: [{ _id: 'b' }] } };
    server.answer = ({ name }) => {
      if (name === 'listIndexes') return cursor();
      if (name === 'getMore') return more;
      if (name !== 'find') return { ok: 1 };
      return { ok: 1, cursor: { id: Long.fromNumber(7), ns: 'd.events', firstBatch: [{ _id: 'a' }] } };
    };
    expect(await rejection(open().findByIds('events', ['a', 'b', 'c']))).toMatchObject({ kind: 'invalid' });
    await eventually('the cursor is closed', () => server.named('killCursors').length === 1);
  });
});

describe('collections', () => {
  const BY_X = { name: 'by_x', fields: [{ field: 'x', direction: 'ascending' }] } as const;
  const SPEC = { name: 'events', indexes: [BY_X] };
  const ID = { v: 2, name: '_id_', key: { _id: 1 } };

  test('what others make at the same time is taken as made', async () => {
    answer('create', { ok: 0, code: 48, codeName: 'NamespaceExists', errmsg: 'it exists' });
    await open().ensureCollections([SPEC]);
    expect(server.named('createIndexes')[0]?.body['indexes']).toEqual([
      { name: 'by_x', key: { x: 1, _id: 1 } },
    ]);
  });

  test('an index that is there is not made again', async () => {
    answer('listIndexes', cursor(ID, { v: 2, name: 'by_x', key: { x: 1, _id: 1 } }));
    await open().ensureCollections([SPEC]);
    expect(server.named('createIndexes')).toEqual([]);
  });

  test.each([
    ['with other fields', { key: { x: -1, _id: -1 } }],
    ['without the id behind them', { key: { x: 1 } }],
    ['that misses documents', { key: { x: 1, _id: 1 }, sparse: true }],
    ['of another collation', { key: { x: 1, _id: 1 }, collation: { locale: 'de' } }],
  ])('an index %s is invalid, and the message says what to do', async (_, index) => {
    answer('listIndexes', cursor(ID, { v: 2, name: 'by_x', ...index }));
    expect(await rejection(open().ensureCollections([SPEC]))).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/by_x of events.*drop it/),
    });
  });

  test.each([
    ['removes documents', { name: 'old', key: { at: 1 }, expireAfterSeconds: 60 }],
    ['refuses documents', { name: 'only', key: { x: 1 }, unique: true }],
  ])('an index of somebody else that %s is refused', async (_, index) => {
    answer('listIndexes', cursor(ID, { v: 2, ...index }));
    expect(await rejection(open().ensureCollections([SPEC]))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(`index ${index.name} of events`),
    });
  });

  test('a collection that forgets is refused', async () => {
    answer(
      'listCollections',
      cursor({ name: 'events', type: 'collection', options: { capped: true, size: 4096 } }),
    );
    expect(await rejection(open().ensureCollections([SPEC]))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('spec.mongodb.database'),
    });
  });

  test('an index that exists by another name is invalid', async () => {
    answer('createIndexes', { ok: 0, code: 85, codeName: 'IndexOptionsConflict', errmsg: 'by another name' });
    expect(await rejection(open().ensureCollections([SPEC]))).toMatchObject({ kind: 'invalid' });
  });

  test.each(['', 'Upper', 'a.b', 'x'.repeat(61)])('the collection name %j is invalid', async (name) => {
    expect(await rejection(open().ensureCollections([{ name, indexes: [] }]))).toMatchObject({
      kind: 'invalid',
    });
  });
});
