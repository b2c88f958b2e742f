import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { within } from '../../../test/helpers/eventually.ts';
import { KafkaEventLog } from './event-log.ts';

const servers = new Map<Server, Set<Socket>>();

afterEach(async () => {
  for (const [server, sockets] of servers) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
  servers.clear();
});

/** Takes connections, and what comes by them, and never says a word. */
async function startMute(): Promise<{ readonly address: string; readonly sockets: ReadonlySet<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.resume();
  });
  servers.set(server, sockets);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

function logAt(address: string, callMs: number): { readonly log: KafkaEventLog; readonly told: string[] } {
  const told: string[] = [];
  const observer = {
    up: () => told.push('up'),
    down: ({ message }: Error) => told.push(message),
    reconnected: () => told.push('reconnected'),
    sent: () => {},
  };
  const options = { brokers: [address], topicPrefix: 'p.', replicationFactor: 1, minInsyncReplicas: 1 };
  const more = { tls: undefined, sasl: undefined, clientId: 'test', observer };
  return { log: new KafkaEventLog({ ...options, ...more }, { callMs, connectMs: 30 }), told };
}

const record = { topic: 'topic', key: null, value: null };

test('does nothing until it is called, and closes at once', async () => {
  const { address, sockets } = await startMute();
  const { log, told } = logAt(address, 1_000);
  await log.close();
  await log.close();
  expect([sockets.size, told]).toEqual([0, []]);
  await expect(log.append([record])).rejects.toMatchObject({ kind: 'closed' });
});

test('calls end by their deadline when the broker says nothing', async () => {
  const { address } = await startMute();
  const { log, told } = logAt(address, 1_500);
  const calls: Promise<unknown>[] = [
    log.append([record]),
    log.ranges('topic'),
    log.committed('group', 'topic'),
  ];
  calls.push(log.read({ topic: 'topic', partition: 0, from: 0n, maxRecords: 1 }));
  for (const call of calls) {
    await expect(within('it ends', call)).rejects.toMatchObject({
      name: 'PortError',
      kind: expect.stringMatching(/unavailable|timeout/),
    });
  }
  expect(told.join()).toContain(`${address} did not answer ApiVersions within 30 ms`);
  await log.close();
});

test('closing while it connects leaves no call and no connection behind', async () => {
  const { address, sockets } = await startMute();
  const { log } = logAt(address, 60_000);
  const calls = [log.append([record]), log.ranges('topic')].map((call) =>
    expect(call).rejects.toMatchObject({ name: 'PortError', kind: 'closed' }),
  );
  await within('it closes', log.close());
  await within('the calls end', Promise.all(calls));
  await within(
    'the connections end',
    Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)))),
  );
});

test('what waits to be sent has bounds', async () => {
  const { address } = await startMute();
  const { log } = logAt(address, 150);
  const large = { ...record, value: new Uint8Array(1_000_000) };
  const many = Array.from({ length: 60 }, () => large);
  const waiting = log.append(many);
  waiting.catch(() => {});
  await expect(log.append(many)).rejects.toMatchObject({ kind: 'unavailable' });
  await expect(log.append(Array.from({ length: 70 }, () => large))).rejects.toMatchObject({
    kind: 'invalid',
  });
  await expect(waiting).rejects.toMatchObject({ name: 'PortError' });
  await log.close();
});
