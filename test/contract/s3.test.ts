import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type S3Limits, type S3Options, S3ObjectStore } from '../../runtime/adapters/s3/object-store.ts';
import type { PortError } from '../../runtime/ports/port-error.ts';
import { eventually } from '../helpers/eventually.ts';
import { removeBucket } from '../helpers/s3-bucket.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { ownServers, testEndpoint } from '../services/endpoints.ts';
import { type S3Server, startS3 } from '../services/s3.ts';
import { describeObjectStore, type ObjectStoreHarness } from './object-store.contract.ts';
import { expectPortError, unique } from './waiting.ts';

const SECRET = 'test-secret';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const newBucket = (): string => unique('bucket').replaceAll('_', '-');
const shared = testEndpoint('s3');
const own = ownServers('s3');

if (shared.ok) describeObjectStore('S3', () => openHarness(optionsFor(shared)));
else describe.skip(`object store: S3 (${shared.reason})`, () => test('', () => {}));

/** What an adapter told its observer, in order. */
class Told {
  readonly events: string[] = [];
  readonly sent: string[] = [];

  up(): void {
    this.events.push('up');
  }

  down({ kind }: PortError): void {
    if (this.events.at(-1) !== `down: ${kind}`) this.events.push(`down: ${kind}`);
  }

  reconnected(): void {
    this.events.push('reconnected');
  }
}

function optionsFor(
  server: Pick<S3Server, 'endpoint' | 'accessKeyId' | 'secretAccessKey'> & {
    readonly ca?: string | undefined;
  },
  observer: S3Options['observer'] = observing(new Told()),
): S3Options {
  const { endpoint, ca, accessKeyId, secretAccessKey } = server;
  return {
    endpoint,
    region: 'us-east-1',
    ...(ca === undefined ? {} : { ca }),
    credentials: { accessKeyId, secretAccessKey },
    observer,
  };
}

function observing(told: Told): S3Options['observer'] {
  return {
    up: () => told.up(),
    down: (error) => told.down(error),
    reconnected: () => told.reconnected(),
    sent: (request) => told.sent.push(request),
  };
}

/** A store that forgets its buckets when it is disposed of: the server may be one that stays. */
function openHarness(options: S3Options): Promise<ObjectStoreHarness> {
  const buckets = new Set<string>();
  const store = new S3ObjectStore(options);
  const ensureBuckets = store.ensureBuckets.bind(store);
  store.ensureBuckets = (names) => {
    for (const name of names) buckets.add(name);
    return ensureBuckets(names);
  };
  const opened = [store];
  return Promise.resolve({
    store,
    reopen: async () => {
      await store.close();
      const again = new S3ObjectStore(options);
      opened.push(again);
      return again;
    },
    dispose: async () => {
      for (const each of opened) await each.close();
      for (const bucket of buckets) await removeBucket(options, bucket);
    },
  });
}

(own.ok ? describe : describe.skip)(`S3 that fails${own.ok ? '' : ` (${own.reason})`}`, () => {
  let server: S3Server;
  let told: Told;
  let stores: S3ObjectStore[] = [];

  beforeAll(async () => {
    server = await startS3({ secretAccessKey: SECRET });
  }, 300_000);
  afterAll(() => server.stop());
  beforeEach(() => {
    told = new Told();
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    stores = [];
  });

  const open = (changes: Partial<S3Options> = {}, limits: Partial<S3Limits> = {}): S3ObjectStore => {
    const store = new S3ObjectStore({ ...optionsFor(server, observing(told)), ...changes }, limits);
    stores.push(store);
    return store;
  };
  /** What a call fails with. */
  const failureOf = async (call: Promise<unknown>): Promise<PortError> => {
    try {
      await call;
    } catch (error) {
      expect(error).toMatchObject({ name: 'PortError' });
      return error as PortError;
    }
    throw new Error('it did not fail');
  };
  const expectRefusal = async (call: Promise<unknown>, ...names: readonly string[]): Promise<void> => {
    const { kind, message, cause } = await failureOf(call);
    expect(kind).toBe('refused');
    for (const name of names) expect(message).toContain(name);
    expect(message).not.toContain(SECRET);
    expect(cause).toBeUndefined();
  };

  test('a wrong secret key and an unknown key are refused by name, for every call', async () => {
    const bucket = newBucket();
    const keys = [
      { accessKeyId: server.accessKeyId, secretAccessKey: 'wrong' },
      { accessKeyId: 'nobody', secretAccessKey: SECRET },
    ];
    for (const credentials of keys) {
      const store = open({ credentials });
      const calls = [
        () => store.ensureBuckets([bucket]),
        () => store.put(bucket, 'key', bytes('x'), { ifAbsent: true }),
        () => store.get(bucket, 'key'),
        () => store.head(bucket, 'key'),
        () => store.list(bucket, { prefix: '', limit: 1 }),
      ];
      for (const call of calls)
        await expectRefusal(call(), 'spec.s3.secret (accessKeyIdFile', server.endpoint);
    }
    expect(told.events).toEqual(['down: refused']);
  });

  test('somebody without permission is told which one, and for which bucket', async () => {
    const [theirs, none] = [newBucket(), newBucket()];
    const key = { accessKeyId: unique('user'), secretAccessKey: SECRET };
    await server.addUser(key);
    await open().ensureBuckets([theirs]);
    const store = open({ credentials: key });
    const setting = 'spec.s3.buckets.archive';
    await expectRefusal(store.put(theirs, 'key', bytes('x')), theirs, 's3:PutObject', setting);
    await expectRefusal(store.head(theirs, 'key'), theirs, 's3:GetObject', setting);
    await expectRefusal(store.ensureBuckets([theirs]), theirs, setting);
    await expectRefusal(store.ensureBuckets([none]), none, 's3:CreateBucket', setting);
  });

  test('a missing bucket is named, whatever is asked of it', async () => {
    const store = open();
    const bucket = newBucket();
    const calls = [
      () => store.put(bucket, 'key', bytes('x'), { ifAbsent: true }),
      () => store.get(bucket, 'key'),
      () => store.head(bucket, 'key'),
      () => store.list(bucket, { prefix: '', limit: 1 }),
    ];
    for (const call of calls) {
      const { kind, message } = await failureOf(call());
      expect(kind).toBe('invalid');
      for (const name of [bucket, server.endpoint, 'spec.feeder.source.bucket'])
        expect(message).toContain(name);
    }
    expect(told.events).toEqual(['up']);
  });

  test('TLS that does not match is refused, whichever side has it', async () => {
    const secure = await startS3({ tls: true, secretAccessKey: SECRET });
    try {
      const options = optionsFor(secure, observing(told));
      const good = open(options);
      const bucket = newBucket();
      await good.ensureBuckets([bucket]);
      await good.put(bucket, 'key', bytes('x'));
      const { ca, ...withoutCa } = options;
      expect(ca).toContain('BEGIN CERTIFICATE');
      const stranger = new S3ObjectStore(withoutCa);
      stores.push(stranger);
      await expectRefusal(stranger.head(bucket, 'key'), 'spec.s3.caSecret (caFile)', secure.endpoint);
      const plain = open({ ...options, endpoint: secure.endpoint.replace('https', 'http') });
      await expectRefusal(plain.get(bucket, 'key'), 'spec.s3.endpoint', 'begins with https');
      const eager = open({ endpoint: server.endpoint.replace('http', 'https') });
      await expectRefusal(eager.get(bucket, 'key'), 'spec.s3.endpoint', 'http or https');
    } finally {
      await secure.stop();
    }
  });

  test('an unknown host is unavailable, and named', async () => {
    const { kind, message } = await failureOf(
      open({ endpoint: 'http://nowhere.invalid' }).get('bucket', 'key'),
    );
    expect(kind).toBe('unavailable');
    expect(message).toContain('the host of http://nowhere.invalid cannot be found');
    expect(message).toContain('spec.s3.endpoint');
  });

  test('killed and started again it serves on, with what it had', async () => {
    const store = open();
    const bucket = newBucket();
    await store.ensureBuckets([bucket]);
    await store.put(bucket, 'key', bytes('content'), { ifAbsent: true });
    await server.kill();
    await expectPortError(store.head(bucket, 'key'), 'unavailable');
    await expectPortError(store.put(bucket, 'other', bytes('x'), { ifAbsent: true }), 'unavailable');
    await server.restart();
    const head = await eventually('it serves again', () => store.head(bucket, 'key').catch(() => undefined));
    expect(head).toMatchObject({ size: 7 });
    expect(told.events).toEqual(['up', 'down: unavailable', 'up', 'reconnected']);
  });

  test('frozen it costs a call its deadline, and not one more once it answers', async () => {
    const store = open({}, { callMs: 600, tryMs: 250 });
    const bucket = newBucket();
    await store.ensureBuckets([bucket]);
    server.pause();
    try {
      await expectPortError(store.list(bucket, { prefix: '', limit: 1 }), 'timeout');
      await expectPortError(store.put(bucket, 'key', bytes('x')), 'timeout');
    } finally {
      server.resume();
    }
    expect(await store.list(bucket, { prefix: 'none', limit: 1 })).toEqual([]);
    expect(told.events).toEqual(['up', 'down: timeout', 'up', 'reconnected']);
  });

  describe('behind a network that breaks', () => {
    let proxy: TcpProxy;
    let store: S3ObjectStore;
    let bucket: string;

    beforeEach(async () => {
      proxy = await TcpProxy.start(server.port);
      const limits = { callMs: 2_000, tryMs: 250, stallMs: 250 };
      store = open({ endpoint: `http://${proxy.address}` }, limits);
      bucket = newBucket();
      await store.ensureBuckets([bucket]);
    });
    afterEach(() => proxy.close());

    test('idle connections that died without a word cost one try, however many they were', async () => {
      const list = (): Promise<unknown> => store.list(bucket, { prefix: '', limit: 1 });
      proxy.delay(50);
      await Promise.all(Array.from({ length: 8 }, list));
      proxy.delay(0);
      expect(proxy.connections).toBe(8);
      proxy.halfOpen();
      proxy.resume();
      expect(await list()).toEqual([]);
      expect(told.events).toEqual(['up', 'down: timeout', 'up', 'reconnected']);
    });

    test('content that stops on its way rejects, and so does content whose connection is cut', async () => {
      await store.put(bucket, 'large', randomBytes(8_000_000));
      for (const [fault, kind] of [
        ['stall', 'timeout'],
        ['cut', 'unavailable'],
      ] as const) {
        const object = await store.get(bucket, 'large');
        if (object === undefined || object === 'unchanged') throw new Error('it is there');
        const reading = (async () => {
          for await (const piece of object.body) if (piece.byteLength > 0) proxy[fault]();
        })();
        await expectPortError(reading, kind);
        proxy.resume();
      }
    });

    test('closing ends calls that are under way, and connections with them', async () => {
      proxy.stall();
      const put = expectPortError(store.put(bucket, 'key', bytes('x')), 'unavailable');
      const get = expectPortError(store.get(bucket, 'key'), 'unavailable');
      await store.close();
      await Promise.all([put, get]);
      proxy.resume();
      await eventually('every connection is closed', () => proxy.connections === 0 || undefined);
    });
  });
});
