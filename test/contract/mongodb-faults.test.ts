import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type MongoOptions, MongoDocumentStore } from '../../runtime/adapters/mongodb/document-store.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { ownServers } from '../services/endpoints.ts';
import { type MongoServer, startMongo } from '../services/mongodb.ts';
import { mongoOptions } from './mongodb-options.ts';
import { unique } from './waiting.ts';

const START_MS = 240_000;
const RECOVER_MS = 30_000;
const PASSWORD = 'hunter2 :/?#[]@%';

const own = ownServers('mongodb');
const describeOwn = own.ok ? describe : describe.skip;
const why = own.ok ? '' : ` (${own.reason})`;

let told: string[];
let stores: MongoDocumentStore[];

const observer = {
  up: () => void told.push('up'),
  down: ({ kind }: PortError) => void told.push(`down: ${kind}`),
  reconnected: () => void told.push('reconnected'),
  sent: () => {},
};

function open(uri: string, more: Partial<MongoOptions> = {}): MongoDocumentStore {
  const store = new MongoDocumentStore(mongoOptions(uri, { observer, ...more }));
  stores.push(store);
  return store;
}

beforeEach(() => {
  told = [];
  stores = [];
});

afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
});

describeOwn(`document store: a MongoDB that goes away${why}`, () => {
  let server: MongoServer;
  let proxy: TcpProxy;
  let store: MongoDocumentStore;
  let writer: Writer;

  beforeAll(async () => {
    server = await startMongo();
  }, START_MS);

  afterAll(() => server.stop());

  beforeEach(async () => {
    proxy = await TcpProxy.start(server.port);
    store = open(`mongodb://${proxy.address}/`);
    await store.ensureCollections([{ name: 'events', indexes: [] }]);
    writer = new Writer(store);
    await writer.acknowledges('before the fault');
  });

  afterEach(async () => {
    await writer.stop();
    await proxy.close();
  });

  /** Every id that was acknowledged is there, and the store that saw the fault answers. */
  async function expectNothingLost(): Promise<void> {
    await writer.acknowledges('after the fault');
    await writer.stop();
    for (let start = 0; start < writer.acknowledged.length; start += 1_000) {
      const ids = writer.acknowledged.slice(start, start + 1_000);
      const found = await store.findByIds('events', ids);
      expect(found.map((document) => document?._id)).toEqual(ids);
    }
    expect(writer.kinds).not.toContain('invalid');
    expect(writer.kinds).not.toContain('refused');
  }

  test(
    'killed and started again: what was acknowledged is there, and the same store goes on',
    async () => {
      await server.kill();
      await eventually('a call fails', () => writer.kinds.length > 0, RECOVER_MS);
      await eventually('the observer is told', () => told.includes('down: unavailable'), RECOVER_MS);
      await server.restart();
      await expectNothingLost();
      expect(told.slice(-2)).toEqual(['reconnected', 'up']);
    },
    START_MS,
  );

  test('connections that are cut are made anew', async () => {
    for (let times = 1; times <= 5; times += 1) {
      proxy.cut();
      await writer.acknowledges(`after cut ${times}`);
    }
    await expectNothingLost();
  });

  test('connections on which nothing arrives any more are given up within the deadline', async () => {
    proxy.halfOpen();
    await eventually('a call fails', () => writer.kinds.length > 0, RECOVER_MS);
    proxy.resume();
    await expectNothingLost();
  }, 60_000);

  test('a server that stands still and goes on', async () => {
    server.pause();
    await eventually('a call fails', () => writer.kinds.length > 0, RECOVER_MS);
    server.resume();
    await expectNothingLost();
  }, 60_000);
});

describeOwn(`document store: a MongoDB with a password and TLS${why}`, () => {
  let server: MongoServer;

  beforeAll(async () => {
    server = await startMongo({ user: { name: 'app', password: PASSWORD }, tls: true });
  }, START_MS);

  afterAll(() => server.stop());

  const ensure = (store: MongoDocumentStore): Promise<void> =>
    store.ensureCollections([{ name: unique('events'), indexes: [] }]);

  async function rejection(call: Promise<unknown>): Promise<PortError> {
    const [settled] = await Promise.allSettled([call]);
    if (settled.status === 'fulfilled') throw new Error('the call was to fail');
    expect(settled.reason).toBeInstanceOf(PortError);
    const error = settled.reason as PortError;
    expect(error.message).not.toContain(PASSWORD);
    expect(error.message).not.toContain(encodeURIComponent(PASSWORD));
    return error;
  }

  test('serves who has both, in TLS by the CA alone', async () => {
    const ca = server.ca ?? '';
    await ensure(open(server.uri, { ca }));
    await ensure(open(server.uri.replace('?tls=true', ''), { ca }));
    expect(told).toEqual(['up', 'up']);
  });

  test.each([
    [
      'a wrong password',
      (uri: string) => uri.replace('hunter2', 'hunter3'),
      'refuses the user or the password',
    ],
    ['a wrong user', (uri: string) => uri.replace('app:', 'other:'), 'refuses the user or the password'],
    ['no user', (uri: string) => uri.replace(/\/\/.*@/, '//'), 'asks for a user and a password'],
  ])('%s is refused, with the setting and the address in the message', async (_, change, text) => {
    const error = await rejection(ensure(open(change(server.uri), { ca: server.ca ?? '' })));
    expect(error).toMatchObject({ kind: 'refused' });
    expect(error.message).toContain(text);
    expect(error.message).toContain('spec.mongodb.uriSecret');
    expect(error.message).toContain(server.address);
    expect(told).toContain('down: refused');
    expect(told).not.toContain('up');
  });

  test('a certificate of an authority that is not known is refused', async () => {
    const error = await rejection(ensure(open(server.uri)));
    expect(error).toMatchObject({ kind: 'refused' });
    expect(error.message).toMatch(/certificate of MongoDB at .* is not trusted .* spec\.mongodb\.caSecret/);
    expect(error.message).toContain(server.address);
  });

  test('a CA that holds no certificate is refused', async () => {
    const ca = '-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n';
    const error = await rejection(ensure(open(server.uri, { ca })));
    expect(error).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('spec.mongodb.caSecret'),
    });
  });

  test('who does not speak TLS is told what to look at', async () => {
    const error = await rejection(ensure(open(server.uri.replace('?tls=true', ''))));
    expect(error.message).toContain('tls=true');
    expect(error.message).toContain(server.address);
  });
});

/** Inserts one document after the other, whatever happens, and remembers which were acknowledged. */
class Writer {
  readonly acknowledged: string[] = [];
  /** Of the errors, in order. */
  readonly kinds: string[] = [];
  readonly #store: MongoDocumentStore;
  readonly #done: Promise<void>;
  #stopped = false;

  constructor(store: MongoDocumentStore) {
    this.#store = store;
    this.#done = this.#write();
  }

  /** Resolves when something more has been acknowledged. */
  async acknowledges(when: string): Promise<void> {
    const count = this.acknowledged.length;
    await eventually(`an insert is acknowledged ${when}`, () => this.acknowledged.length > count, RECOVER_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await within('the last insert ends', this.#done);
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const _id = unique('id');
      try {
        await this.#store.insertMany('events', [{ _id }]);
        this.acknowledged.push(_id);
      } catch (error) {
        if (!(error instanceof PortError)) throw error;
        this.kinds.push(error.kind);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}
