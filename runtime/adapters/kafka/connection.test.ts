import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { KafkaConnection } from './connection.ts';
import { away } from './failure.ts';
import type { KafkaRequest, RequestFor } from './requests.ts';
import { openSocket, parseAddress, showAddress } from './socket.ts';

const TIMEOUT_MS = 2_000;
const BOUNDS = { timeoutMs: TIMEOUT_MS, signal: new AbortController().signal };
const servers = new Set<Server>();
const connections = new Set<KafkaConnection>();

afterEach(async () => {
  for (const connection of connections) connection.end(away('the test is over'));
  await Promise.all([...servers].map((server) => new Promise((resolve) => server.close(resolve))));
  servers.clear();
  connections.clear();
});

/** A connection to a server that does this with what it gets. */
async function connectTo(onData: (socket: Socket, data: Buffer) => void): Promise<KafkaConnection> {
  const server = createServer((socket) => {
    socket.on('data', (data: Buffer) => onData(socket, data));
    socket.on('error', () => {});
  });
  servers.add(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const connection = new KafkaConnection(await openSocket(address, undefined, BOUNDS), address, 'client');
  connections.add(connection);
  return connection;
}

/** A request with this body, whose answer is its text. */
const asking =
  (body: string, flexible = false): RequestFor<string> =>
  (): KafkaRequest<string> => ({
    name: 'Test',
    apiKey: 42,
    apiVersion: 7,
    flexible,
    encode: () => [Buffer.from(body.slice(0, 1)), Buffer.from(body.slice(1))],
    decode: (answer) => answer.toString(),
  });

/** Splits what has come into whole requests. */
function requestsOf(data: Buffer): { readonly id: number; readonly bytes: Buffer }[] {
  const requests = [];
  for (let at = 0; at < data.length;) {
    const end = at + 4 + data.readInt32BE(at);
    requests.push({ id: data.readInt32BE(at + 8), bytes: data.subarray(at + 4, end) });
    at = end;
  }
  return requests;
}

function answer(id: number, body: string): Buffer {
  const bytes = Buffer.alloc(8 + Buffer.byteLength(body));
  bytes.writeInt32BE(bytes.length - 4, 0);
  bytes.writeInt32BE(id, 4);
  bytes.write(body, 8);
  return bytes;
}

test('a request is framed as Kafka asks, its pieces one behind the other', async () => {
  const seen: string[] = [];
  const connection = await connectTo((socket, data) => {
    for (const { id, bytes } of requestsOf(data)) {
      seen.push(bytes.toString('hex'));
      socket.write(answer(id, 'yes'));
    }
  });
  expect(await connection.send(asking('body'), TIMEOUT_MS)).toBe('yes');
  expect(seen).toEqual([`002a0007000000000006${Buffer.from('client').toString('hex')}626f6479`]);
});

test('answers find their requests however they are cut', async () => {
  const connection = await connectTo((socket, data) => {
    const all = Buffer.concat(requestsOf(data).map(({ id }) => answer(id, `answer ${id}`)));
    for (const byte of all) socket.write(Buffer.of(byte));
  });
  const answers = await Promise.all([1, 2, 3].map(() => connection.send(asking('x'), TIMEOUT_MS)));
  expect(answers).toEqual(['answer 0', 'answer 1', 'answer 2']);
});

test('a request that is not answered in time ends the connection, and all that wait on it', async () => {
  const connection = await connectTo(() => {});
  const told: boolean[] = [];
  connection.onEnd = (_, idle) => told.push(idle);
  const first = connection.send(asking('x'), 20);
  const second = connection.send(asking('y'), TIMEOUT_MS);
  await expect(first).rejects.toMatchObject({ kind: 'timeout' });
  await expect(second).rejects.toMatchObject({ kind: 'timeout' });
  await expect(connection.send(asking('z'), TIMEOUT_MS)).rejects.toMatchObject({ kind: 'timeout' });
  expect(told).toEqual([false]);
});

test('a server that hangs up makes all that wait fail', async () => {
  const connection = await connectTo((socket) => socket.destroy());
  await expect(connection.send(asking('x'), TIMEOUT_MS)).rejects.toMatchObject({
    kind: 'unavailable',
    retriable: true,
  });
  expect(connection.isOpen).toBe(false);
});

test.each([
  ['an alert of TLS', Buffer.from('15030300020250', 'hex'), 'speaks TLS: set spec.kafka.tls to true'],
  [
    'an answer of HTTP',
    Buffer.from('HTTP/1.1 400 Bad Request\r\n'),
    'does not answer as Kafka does: check spec.kafka.brokers',
  ],
])('%s is refused, with the setting to look at', async (_, bytes, message) => {
  const connection = await connectTo((socket) => socket.write(bytes));
  const failing = connection.send(asking('x'), TIMEOUT_MS);
  await expect(failing).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining(message) });
});

test.each([
  ['kafka:9092', { host: 'kafka', port: 9092 }],
  ['[::1]:9092', { host: '::1', port: 9092 }],
])('the address %s', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
  expect(showAddress(address)).toBe(text);
});

test('a port where nobody listens is away', async () => {
  const connection = await connectTo(() => {});
  const { address } = connection;
  connection.end(away('done'));
  const [server] = servers;
  await new Promise((resolve) => server?.close(resolve));
  servers.clear();
  await expect(openSocket(address, undefined, BOUNDS)).rejects.toMatchObject({
    kind: 'unavailable',
    message: `${showAddress(address)} cannot be reached (ECONNREFUSED)`,
  });
});
