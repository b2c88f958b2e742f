import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from './eventually.ts';
import { TcpProxy } from './tcp-proxy.ts';

let server: Server;
let proxy: TcpProxy;
const sockets: Socket[] = [];
const far: Socket[] = [];

beforeEach(async () => {
  server = createServer((socket) => {
    far.push(socket);
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => socket.write(`echo ${data.toString()}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.start((server.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const socket of [...sockets.splice(0), ...far.splice(0)]) socket.destroy();
  await proxy.close();
  server.close();
});

/** A connection through the proxy, with all that it was sent and how it ended. */
class Near {
  readonly socket: Socket;
  received = '';
  ended: 'no' | 'closed' | 'reset' = 'no';

  constructor() {
    this.socket = connect(proxy.port, '127.0.0.1');
    sockets.push(this.socket);
    this.socket.on('data', (data: Buffer) => (this.received += data.toString()));
    this.socket.on('error', () => {});
    this.socket.on('close', (failed) => (this.ended = failed ? 'reset' : 'closed'));
  }

  async says(text: string): Promise<void> {
    this.socket.write(text);
    await this.hears(`echo ${text}`);
  }

  async hears(text: string): Promise<void> {
    await eventually(`${text} is heard`, () => this.received.includes(text));
  }
}

test('a half-opened connection stays open and silent for ever; one that is made afterwards works', async () => {
  const before = new Near();
  await before.says('one');
  proxy.halfOpen();
  const meanwhile = new Near();
  await once(meanwhile.socket, 'connect');
  before.socket.write('two');
  meanwhile.socket.write('three');
  proxy.resume();
  const after = new Near();
  await after.says('four');
  before.socket.write('five');
  await after.says('six');
  expect([before, meanwhile].map(({ received, ended }) => ({ received, ended }))).toEqual([
    { received: 'echo one', ended: 'no' },
    { received: '', ended: 'no' },
  ]);
});

test('who gives up a half-opened connection leaves nothing behind', async () => {
  const near = new Near();
  await near.says('one');
  proxy.halfOpen();
  near.socket.destroy();
  await eventually('the connection is gone', () => proxy.connections === 0);
});

test('a connection is reset while connections are refused, and when nobody listens behind the proxy', async () => {
  const before = new Near();
  await before.says('one');
  proxy.refuse();
  const meanwhile = new Near();
  await eventually('both are reset', () => before.ended === 'reset' && meanwhile.ended === 'reset');
  proxy.resume();
  await new Near().says('two');
  server.close();
  for (const socket of far) socket.destroy();
  const late = new Near();
  await eventually('it is reset', () => late.ended === 'reset');
});

test('a piece that is delayed is not overtaken by one behind it', async () => {
  const near = new Near();
  await near.says('one');
  proxy.delay(50);
  near.socket.write('two');
  await eventually('it is under way', () => near.socket.bytesWritten === 6);
  proxy.delay(0);
  near.socket.write('three');
  await near.hears('three');
  expect(near.received).toMatch(/^echo oneecho two.*three$/);
});

test('its target can be told later', async () => {
  const { port } = server.address() as AddressInfo;
  const late = await TcpProxy.start();
  late.target(port);
  const socket = connect(late.port, '127.0.0.1');
  sockets.push(socket);
  socket.write('hello');
  const [data] = (await once(socket, 'data')) as [Buffer];
  expect(data.toString()).toBe('echo hello');
  await late.close();
});
