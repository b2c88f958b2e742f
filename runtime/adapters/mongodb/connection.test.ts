import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Long } from 'mongodb';
import { eventually, turn } from '../../../test/helpers/eventually.ts';
import { MongoWireServer, type WireServerOptions } from '../../../test/helpers/mongodb-wire-server.ts';
import type { PortError } from '../../ports/port-error.ts';
import { MongoConnection } from './connection.ts';
import { MongoDocumentStore } from './document-store.ts';

const NO_INDEXES = { ok: 1, cursor: { id: Long.ZERO, ns: 'd.events', firstBatch: [] } };
const SECRET = 'hunter2';

let server: MongoWireServer;
let stores: MongoDocumentStore[];
let told: string[];

const observer = {
  up: () => void told.push('up'),
  down: ({ kind }: PortError) => void told.push(`down: ${kind}`),
  reconnected: () => void told.push('reconnected'),
  sent: () => {},
};

function open(uri = server.uri, ca?: string): MongoDocumentStore {
  const store = new MongoDocumentStore({
    uri,
    database: 'bank',
    appName: 'test',
    observer,
    ...(ca === undefined ? {} : { ca }),
  });
  stores.push(store);
  return store;
}

async function start(options: WireServerOptions = {}): Promise<MongoWireServer> {
  const started = await MongoWireServer.start(options);
  started.answer = ({ name }) => (name === 'listIndexes' ? NO_INDEXES : { ok: 1, n: 1 });
  return started;
}

async function rejection(call: Promise<unknown>): Promise<PortError> {
  const [settled] = await Promise.allSettled([call]);
  if (settled.status === 'fulfilled') throw new Error('the call was to fail');
  expect(settled.reason).toMatchObject({ name: 'PortError' });
  expect(settled.reason).not.toHaveProperty('cause');
  return settled.reason as PortError;
}

const insert = (store: MongoDocumentStore): Promise<unknown> => store.insertMany('events', [{ _id: 'a' }]);

beforeEach(async () => {
  server = await start();
  stores = [];
  told = [];
});

afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await server.stop();
});

describe('errors name the setting, the address and what to do, and no secret', () => {
  const withLogin = (uri: string): string => uri.replace('mongodb://', `mongodb://app:${SECRET}@`);

  test.each([
    `mongodb//app:${SECRET}@h/`,
    `mongodb://app:${SECRET}@/`,
    `mongodb://app:${SECRET}@h:port/`,
    `mongodb://app:${SECRET}/x@h/?w=0&journal=true`,
    `mongodb://app:${SECRET}@h/?secret${SECRET}=1`,
    `mongodb://app:%zz${SECRET}@h/`,
    SECRET,
    '',
  ])('a URI that is none: %s', async (uri) => {
    const error = await rejection(insert(open(uri)));
    expect(error).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('spec.mongodb.uriSecret'),
    });
    expect(error.message).not.toContain(SECRET);
  });

  test('a host that does not exist', async () => {
    const error = await rejection(insert(open(`mongodb://app:${SECRET}@nowhere.invalid:7/`)));
    expect(error).toMatchObject({ kind: 'unavailable' });
    expect(error.message).toMatch(/spec\.mongodb\.uriSecret cannot be found.*nowhere\.invalid:7/);
    expect(error.message).not.toContain(SECRET);
    expect(told).toContain('down: unavailable');
    expect(told).not.toContain('up');
  });

  test('nobody listens', async () => {
    const { port } = server;
    await server.stop();
    const error = await rejection(insert(open(`mongodb://127.0.0.1:${port}/`)));
    expect(error).toMatchObject({ kind: 'unavailable' });
    expect(error.message).toMatch(
      new RegExp(`MongoDB at 127.0.0.1:${port}.*spec\\.mongodb\\.uriSecret.*ECONNREFUSED`),
    );
    server = await start();
  });

  test('a wrong password', async () => {
    server.answer = ({ name }) =>
      name.startsWith('sasl')
        ? { ok: 0, code: 18, codeName: 'AuthenticationFailed', errmsg: `no ${SECRET}` }
        : { ok: 1 };
    const error = await rejection(insert(open(withLogin(server.uri))));
    expect(error).toMatchObject({ kind: 'refused' });
    expect(error.message).toMatch(
      /127\.0\.0\.1:\d+ refuses the user or the password in spec\.mongodb\.uriSecret/,
    );
    expect(error.message).not.toContain(SECRET);
    expect(told).toContain('down: refused');
    expect(told).not.toContain('up');
  });

  test('no permission, with the command left out of the message, which holds documents', async () => {
    const errmsg =
      'not authorized on bank to execute command { insert: "events", documents: [ { name: "ann" } ] }';
    server.answer = ({ name }) =>
      name === 'listIndexes' ? NO_INDEXES : { ok: 0, code: 13, codeName: 'Unauthorized', errmsg };
    const error = await rejection(insert(open()));
    expect(error).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('put them into spec.mongodb.uriSecret'),
    });
    expect(error.message).not.toContain('ann');
    expect(told.at(-1)).toBe('down: refused');
  });

  test('a server that does not speak TLS', async () => {
    const plain = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    }).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const address = plain.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const error = await rejection(insert(open(`mongodb://127.0.0.1:${port}/?tls=true`)));
    plain.close();
    expect(error).toMatchObject({ kind: 'refused' });
    expect(error.message).toMatch(
      /no TLS connection to MongoDB at 127\.0\.0\.1:\d+.*spec\.mongodb\.caSecret/,
    );
  });

  test('a server that is too old', async () => {
    await server.stop();
    server = await start({ hello: { maxWireVersion: 4 } });
    const error = await rejection(insert(open()));
    expect(error).toMatchObject({ kind: 'refused', message: expect.stringContaining('too old') });
  });
});

describe('deadlines', () => {
  test('a server that does not answer: the call ends by itself, and close ends what is left of it', async () => {
    server.answer = ({ name }) => (name === 'listIndexes' ? NO_INDEXES : 'hang');
    const store = open();
    expect(await rejection(insert(store))).toMatchObject({ kind: 'timeout' });
    await store.close();
    await eventually('no connection is left', () => server.connections === 0);
  });

  test('a call that is under way when the store is closed is unknown, not refused', async () => {
    server.answer = ({ name }) => (name === 'listIndexes' ? NO_INDEXES : 'hang');
    const store = open();
    const call = rejection(insert(store));
    await eventually('it is under way', () => server.named('insert').length === 1);
    await store.close();
    expect(await call).toMatchObject({ kind: 'unavailable' });
    expect(await rejection(insert(store))).toMatchObject({ kind: 'closed' });
  });

  test('closing while it connects leaves nothing', async () => {
    const store = open();
    const call = Promise.allSettled([insert(store)]);
    await store.close();
    await call;
    await eventually('no connection is left', () => server.connections === 0);
  });

  test('a store that was never used closes', async () => {
    await open('mongodb://nowhere.invalid/').close();
    expect(server.connections).toBe(0);
  });
});

describe('what the observer is told', () => {
  test('up at the first answer, and not at each', async () => {
    const store = open();
    expect(told).toEqual([]);
    await insert(store);
    await insert(store);
    expect(told).toEqual(['up']);
  });

  test('a first try that fails is made again at the next call', async () => {
    const { port } = server;
    await server.stop();
    const store = open(`mongodb://127.0.0.1:${port}/`);
    await rejection(insert(store));
    expect(told).toContain('down: unavailable');
    server = await MongoWireServer.start({ port });
    server.answer = ({ name }) => (name === 'listIndexes' ? NO_INDEXES : { ok: 1, n: 1 });
    await insert(store);
    expect(told.at(-1)).toBe('up');
    expect(told).not.toContain('reconnected');
  });

  test('a loss and a return, without any call', async () => {
    await insert(open());
    const { port } = server;
    await server.stop();
    await eventually('it is down', () => told.includes('down: unavailable'));
    server = await MongoWireServer.start({ port });
    await eventually('it is up', () => told.at(-1) === 'up');
    expect(told.slice(-2)).toEqual(['reconnected', 'up']);
  });

  test('a service that refuses is up when it answers a call, not when it can be reached', async () => {
    const store = open();
    await insert(store);
    server.answer = () => ({ ok: 0, code: 13, codeName: 'Unauthorized', errmsg: 'not authorized' });
    expect(await rejection(insert(store))).toMatchObject({ kind: 'refused' });
    expect(told).toEqual(['up', 'down: refused']);
    server.answer = () => ({ ok: 1, n: 1 });
    await insert(store);
    expect(told).toEqual(['up', 'down: refused', 'up']);
  });
});

describe('a driver that is stuck is replaced', () => {
  const observed = (): MongoConnection =>
    new MongoConnection(
      { uri: server.uri, database: 'bank', appName: 'test', observer },
      { checkMs: 300, callMs: 100 },
    );
  const ping = (connection: MongoConnection): Promise<unknown> =>
    connection.run('document-store.find', 500, (database) => database.command({ ping: 1 }));

  test('where it waits for ever for its own check of the server', async () => {
    const connection = observed();
    await ping(connection);
    const connectedAt = performance.now();
    await eventually('a check of the server is due at once', () => performance.now() > connectedAt + 600);
    // What the driver does not survive: it writes to a socket of which the end has been read, and whose `close` is told
    // at the end of this very turn of the event loop.
    server.answer = () => {
      server.answer = () => ({ ok: 1 });
      queueMicrotask(() => server.hangUp());
      return 'drop';
    };
    expect(await rejection(ping(connection))).toMatchObject({ kind: 'unavailable' });
    await turn();
    await eventually(
      'it is replaced',
      () =>
        ping(connection).then(
          () => true,
          () => false,
        ),
      10_000,
    );
    expect(told.slice(-2)).toEqual(['reconnected', 'up']);
    await connection.close();
  });

  test('where a call never ends', async () => {
    const connection = observed();
    await ping(connection);
    const call = connection.run('document-store.find', 10, () => new Promise<never>(() => {}));
    expect(await rejection(call)).toMatchObject({ kind: 'timeout' });
    await eventually('it is replaced', () => told.slice(-2).join() === 'reconnected,up');
    await ping(connection);
    await connection.close();
    await eventually('no connection is left', () => server.connections === 0);
  });
});
