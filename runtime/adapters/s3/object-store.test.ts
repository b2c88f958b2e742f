import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PortErrorKind } from '../../ports/port-error.ts';
import { S3ObjectStore } from './object-store.ts';

/** What the server answers to one request. */
interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Closes the connection in place of an answer. */
  readonly isCut?: boolean;
  /** Never answers. */
  readonly isSilent?: boolean;
}

const OK: Answer = { headers: { etag: '"etag"' } };
const failed = (status: number, code: string): Answer => ({
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>key AKIA</Message></Error>`,
});
const listed = (keys: readonly string[], next?: string): Answer => {
  const contents = keys.map(
    (key) =>
      `<Contents><Key>${key}</Key><ETag>"e"</ETag><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`,
  );
  const more = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
  const truncated = `<IsTruncated>${String(next !== undefined)}</IsTruncated>`;
  return { body: `<ListBucketResult>${truncated}${more}${contents.join('')}</ListBucketResult>` };
};

let server: Server;
let store: S3ObjectStore;
let answers: Answer[];
let requests: { readonly method: string; readonly url: string; readonly headers: object; body: string }[];
let told: string[];

const answer: RequestListener = (request, response) => {
  const { method = '', url = '', headers } = request;
  const seen = { method, url, headers, body: '' };
  requests.push(seen);
  request.on('data', (piece: Buffer) => (seen.body += piece.toString('latin1')));
  const { status = 200, headers: extra = {}, body = '', isCut, isSilent } = answers.shift() ?? {};
  if (isCut === true) request.socket.destroy();
  else if (isSilent !== true) request.once('end', () => response.writeHead(status, extra).end(body));
};

beforeEach(async () => {
  [answers, requests, told] = [[], [], []];
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  store = new S3ObjectStore(
    {
      endpoint,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' },
      observer: {
        up: () => told.push('up'),
        down: ({ kind }) => told.push(kind),
        reconnected: () => told.push('reconnected'),
        sent: (request, items) => told.push(`${request} ${items}`),
      },
    },
    { callMs: 1_000, tryMs: 1_000, pauseMs: 1 },
  );
});

afterEach(async () => {
  await store.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const BODY = new Uint8Array(3);
const expectFailure = async (
  call: Promise<unknown>,
  kind: PortErrorKind,
  ...names: readonly string[]
): Promise<void> => {
  const message = expect.stringMatching(names.map((name) => `(?=.*${name})`).join(''));
  await expect(call).rejects.toMatchObject({ name: 'PortError', kind, message });
};

describe('a put with ifAbsent', () => {
  const put = (): Promise<unknown> => store.put('bucket', 'key', BODY, { ifAbsent: true });

  test('asks the store to refuse a second object, in one request', async () => {
    answers = [OK];
    expect(await put()).toEqual({ outcome: 'stored', etag: '"etag"' });
    expect(requests).toMatchObject([{ method: 'PUT', headers: { 'if-none-match': '*' } }]);
    answers = [failed(412, 'PreconditionFailed')];
    expect(await put()).toEqual({ outcome: 'exists' });
    expect(told).toEqual(['PutObject 1', 'up', 'PutObject 1']);
  });

  test('is sent again when another one was in its way, or the store was too busy for it', async () => {
    answers = [failed(409, 'ConditionalRequestConflict'), failed(503, 'SlowDown'), OK];
    expect(await put()).toMatchObject({ outcome: 'stored' });
    expect(told.filter((each) => each !== 'PutObject 1')).toEqual(['unavailable', 'unavailable', 'up']);
  });

  test('is unavailable when others stay in its way', async () => {
    answers = Array.from({ length: 9 }, () => failed(409, 'ConditionalRequestConflict'));
    await expectFailure(put(), 'unavailable', 'ConditionalRequestConflict');
    expect(requests).toHaveLength(4);
  });

  test.each<[string, Answer, PortErrorKind]>([
    ['was cut', { isCut: true }, 'unavailable'],
    ['got no answer', { isSilent: true }, 'timeout'],
    ['failed at the store', failed(500, 'InternalError'), 'unavailable'],
  ])('that %s is not sent again: it would find itself', async (_, first, kind) => {
    answers = [first, failed(412, 'PreconditionFailed')];
    await expectFailure(put(), kind);
    expect(requests).toHaveLength(1);
  });
});

test.each<[string, Answer]>([
  ['was cut', { isCut: true }],
  ['failed at the store', failed(500, 'InternalError')],
])('a put that replaces and %s is sent again', async (_, first) => {
  answers = [first, OK];
  expect(await store.put('bucket', 'key', BODY)).toMatchObject({ outcome: 'stored' });
  expect(told).toEqual(['PutObject 1', 'unavailable', 'PutObject 1', 'up']);
});

test('a put has more time when it is larger', async () => {
  answers = [{ isSilent: true }];
  const large = store.put('bucket', 'key', new Uint8Array(192 * 1024), { ifAbsent: true });
  await expectFailure(large, 'timeout', 'within 1500 ms');
});

test('a read is sent again while there is time, and tells when the service is back', async () => {
  answers = [listed(['a'])];
  await store.list('bucket', { prefix: '', limit: 1 });
  answers = [{ isCut: true }, failed(503, 'ServiceUnavailable'), listed(['a'])];
  expect(await store.list('bucket', { prefix: '', limit: 1 })).toHaveLength(1);
  expect(told).toEqual([
    'ListObjectsV2 1',
    'up',
    'unavailable',
    'unavailable',
    'ListObjectsV2 1',
    'up',
    'reconnected',
  ]);
});

describe('a page of a list', () => {
  test('is filled by as many answers as it takes', async () => {
    answers = [listed(['b'], 'one'), listed([], 'two'), listed(['c', 'd'], 'three'), listed(['e'])];
    const page = await store.list('bucket', { prefix: '', after: 'a', limit: 3 });
    expect(page.map(({ key }) => key)).toEqual(['b', 'c', 'd']);
    expect(requests.map(({ url }) => new URL(url, 'http://x').searchParams.get('max-keys'))).toEqual([
      '3',
      '2',
      '2',
    ]);
  });

  test('ends where the store says so', async () => {
    answers = [listed(['b'], 'one'), listed([])];
    expect(await store.list('bucket', { prefix: '', limit: 3 })).toHaveLength(1);
  });
});

describe('what is no S3', () => {
  const page: Answer = { body: '<html>Welcome</html>', headers: { 'content-type': 'text/html' } };
  const missing: Answer = { ...page, status: 404 };

  test('never counts as having stored or listed anything', async () => {
    const calls = [
      () => store.put('bucket', 'key', BODY),
      () => store.get('bucket', 'key'),
      () => store.head('bucket', 'key'),
      () => store.list('bucket', { prefix: '', limit: 1 }),
      () => store.ensureBuckets(['bucket']),
    ];
    for (const call of calls) {
      for (const each of [page, missing]) {
        answers = [each, each];
        await expectFailure(call(), 'refused', 'spec\\.s3\\.endpoint', 'does not answer as S3 does');
      }
    }
  });

  test('is refused when it speaks another language', async () => {
    answers = [{ status: 400, body: 'Client sent an HTTP request to an HTTPS server.' }];
    await expectFailure(store.get('bucket', 'key'), 'refused', 'http or https');
  });
});

describe('head', () => {
  test('learns from a listing why it was refused', async () => {
    answers = [{ status: 403 }, failed(403, 'SignatureDoesNotMatch')];
    await expectFailure(store.head('bucket', 'key'), 'refused', 'spec\\.s3\\.secret');
    answers = [{ status: 400 }, failed(400, 'AuthorizationHeaderMalformed')];
    await expectFailure(store.head('bucket', 'key'), 'refused', 'spec\\.s3\\.region');
    answers = [{ status: 403 }, listed([])];
    await expectFailure(store.head('bucket', 'key'), 'refused', 's3:GetObject');
    answers = [{ status: 404 }, failed(404, 'NoSuchBucket')];
    await expectFailure(store.head('bucket', 'key'), 'invalid', 'no bucket bucket');
  });

  test('of an object that is not there is undefined, also where nothing may be listed', async () => {
    answers = [{ status: 404 }, listed([])];
    expect(await store.head('bucket', 'key')).toBeUndefined();
    answers = [{ status: 404 }, failed(403, 'AccessDenied')];
    expect(await store.head('bucket', 'key')).toBeUndefined();
  });
});

describe('ensureBuckets', () => {
  test('makes what is absent, in its region', async () => {
    answers = [failed(404, 'NoSuchBucket'), {}, listed([])];
    await store.ensureBuckets(['one', 'two']);
    expect(
      requests.map(({ method, url }) => `${method} ${url.split('/?')[0] ?? ''}`.replace(/\/$/, '')),
    ).toEqual(['GET /one', 'PUT /one', 'GET /two']);
    expect(requests[1]?.body).toContain('<LocationConstraint>eu-central-1</LocationConstraint>');
  });

  test('takes a bucket that somebody else was faster to make, if it may be used', async () => {
    answers = [failed(404, 'NoSuchBucket'), failed(409, 'BucketAlreadyOwnedByYou'), listed([])];
    await store.ensureBuckets(['bucket']);
    answers = [failed(404, 'NoSuchBucket'), failed(409, 'BucketAlreadyExists'), failed(403, 'AccessDenied')];
    await expectFailure(store.ensureBuckets(['bucket']), 'refused', 'denies access to bucket bucket');
  });

  test('says what to do when it may not make one', async () => {
    answers = [failed(404, 'NoSuchBucket'), failed(403, 'AccessDenied')];
    await expectFailure(
      store.ensureBuckets(['bucket']),
      'refused',
      's3:CreateBucket',
      'spec\\.s3\\.buckets\\.archive',
    );
  });
});

test('content that nobody reads is given up', async () => {
  const observer = { up: () => {}, down: () => {}, reconnected: () => {}, sent: () => {} };
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const options = { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials, observer };
  const impatient = new S3ObjectStore(options, { unreadMs: 1 });
  const headers = {
    etag: '"etag"',
    'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
    'content-length': '4000000',
  };
  answers = [{ headers, body: 'x'.repeat(4_000_000) }];
  const closed = new Promise<void>((resolve) => {
    server.once('connection', (socket) => socket.once('error', () => {}).once('close', () => resolve()));
  });
  const object = await impatient.get('bucket', 'key');
  await closed;
  if (object === undefined || object === 'unchanged') throw new Error('it is there');
  await expectFailure(object.body[Symbol.asyncIterator]().next(), 'timeout', 'unread');
  await impatient.close();
});
