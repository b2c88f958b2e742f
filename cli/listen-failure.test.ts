import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import fastify from 'fastify';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { bindServer } from '../runtime/link/grpc-bind.ts';
import { listenFailure } from './listen-failure.ts';

let holder: Server;
let port: number;

beforeEach(async () => {
  holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const address = holder.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});

afterEach(() => {
  holder.close();
});

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

test('a taken port is told with the field that names it, whichever library says so', async () => {
  const servers = { http: { host: '127.0.0.1', port: 1 }, join: { host: '127.0.0.1', port } };
  const taken = `Port ${port} is taken: choose another one with join.`;
  const http = fastify();
  const fromNode = await http.listen({ host: '127.0.0.1', port }).catch((error: unknown) => error);
  expect(message(listenFailure(fromNode, servers))).toBe(taken);
  const grpc = new GrpcServer();
  const fromGrpc = await bindServer(grpc, `127.0.0.1:${port}`, ServerCredentials.createInsecure()).catch(
    (error: unknown) => error,
  );
  expect(message(listenFailure(fromGrpc, servers))).toBe(taken);
  expect(listenFailure(fromGrpc, servers)).toMatchObject({ exitCode: 1 });
  grpc.forceShutdown();
  await http.close();
});

test('so are a port and an address that cannot be had', () => {
  const servers = { '--port': { host: '198.51.100.1', port: 80 } };
  const denied = new Error('listen EACCES: permission denied 198.51.100.1:80');
  expect(message(listenFailure(denied, servers))).toBe(
    'Port 80 may not be used: choose one above 1023 with --port.',
  );
  const elsewhere = new Error('listen EADDRNOTAVAIL: address not available 198.51.100.1:80');
  expect(message(listenFailure(elsewhere, servers))).toBe(
    'This machine has no address 198.51.100.1, to listen on at port 80: choose another one with --port.',
  );
});

test('another error stays what it is', () => {
  const error = new Error('boom');
  expect(listenFailure(error, {})).toBe(error);
  expect(listenFailure('boom', {})).toBe('boom');
});
