import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { type Asked, type BankHttp, bankHttp, problemOf, storedAnswer } from '../helpers/bank-http.ts';
import { eventually, within } from '../helpers/eventually.ts';

const BODY = { sender: 'ada', receiver: 'bob', amount: 12 };

let bank: BankHttp | undefined;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await bank?.http.close();
});

/** A bank whose operations hang until the gate is opened. */
async function hangingBank(maxInFlight: number): Promise<{ bank: BankHttp; release: () => void }> {
  const gate = Promise.withResolvers<undefined>();
  const answer = async (asked: Asked): Promise<ReturnType<typeof storedAnswer>> => {
    await gate.promise;
    return storedAnswer(asked);
  };
  bank = await bankHttp({ maxInFlight, answer });
  return { bank, release: () => gate.resolve(undefined) };
}

function post({ http }: BankHttp): Promise<LightMyRequestResponse> {
  return http.inject({ method: 'POST', url: '/transaction', payload: BODY });
}

async function shedCount({ metrics }: BankHttp): Promise<number> {
  const { values } = await metrics.httpShed.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}

describe('when as many requests as allowed are in flight', () => {
  test('the next one is refused at once, and served after one of them', async () => {
    const { bank: busy, release } = await hangingBank(2);
    const held = [post(busy), post(busy)];
    await eventually('both at the dispatch', () => busy.asked.length === 2);
    expect(busy.requests.inFlight).toBe(2);

    const refused = await within('the refusal', post(busy), 1_000);
    expect(problemOf(refused)).toMatchObject({ status: 503, code: 'NOT_ATTEMPTED' });
    expect(refused.headers['retry-after']).toBe('1');
    expect(busy.asked).toHaveLength(2);

    release();
    expect((await Promise.all(held)).map(({ statusCode }) => statusCode)).toEqual([201, 201]);
    expect((await post(busy)).statusCode).toBe(201);
    expect(busy.requests.inFlight).toBe(0);
    expect(await shedCount(busy)).toBe(1);
  });

  test('any number of refusals opens no door', async () => {
    const { bank: busy, release } = await hangingBank(1);
    const held = post(busy);
    await eventually('it is at the dispatch', () => busy.asked.length === 1);
    for (let n = 0; n < 5; n += 1) expect((await post(busy)).statusCode).toBe(503);
    expect(busy.asked).toHaveLength(1);
    release();
    await held;
    expect(busy.requests.inFlight).toBe(0);
    expect(await shedCount(busy)).toBe(5);
  });

  test('health and documentation are answered all the same', async () => {
    const { bank: busy, release } = await hangingBank(1);
    const held = post(busy);
    await eventually('it is at the dispatch', () => busy.asked.length === 1);
    for (const url of ['/healthz', '/docs/json']) {
      expect((await busy.http.inject({ url })).statusCode).toBe(200);
    }
    release();
    await held;
  });
});

describe('clients that go away', () => {
  async function open({ http }: BankHttp): Promise<Socket> {
    if (http.server.address() === null) await http.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect((http.server.address() as AddressInfo).port, '127.0.0.1');
    // The server may reset a connection that the test has broken.
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  const head = (length: number): string =>
    `POST /transaction HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

  test('in the middle of the body take no place', async () => {
    const { bank: quiet } = await hangingBank(2);
    const clients = await Promise.all([open(quiet), open(quiet)]);
    for (const client of clients) client.write(`${head(1_000)}{"sender":`);
    await eventually('both are being read', () => quiet.requests.inFlight === 2);
    for (const client of clients) client.destroy();
    await eventually('their places are free', () => quiet.requests.inFlight === 0);
    expect(quiet.asked).toEqual([]);
  });

  test('before their answer give their place back at once', async () => {
    const { bank: busy, release } = await hangingBank(2);
    const client = await open(busy);
    const body = JSON.stringify(BODY);
    client.write(head(body.length) + body);
    await eventually('it is at the dispatch', () => busy.asked.length === 1);
    client.destroy();
    await eventually('its place is free', () => busy.requests.inFlight === 0);
    release();
    expect((await post(busy)).statusCode).toBe(201);
    expect(busy.requests.inFlight).toBe(0);
  });

  test('what is no HTTP is answered with a problem', async () => {
    const { bank: quiet } = await hangingBank(2);
    const client = await open(quiet);
    client.write('nonsense\r\n\r\n');
    const [data] = (await once(client, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(data.toString()).toContain('"code":"MALFORMED_HTTP"');
    expect(quiet.requests.inFlight).toBe(0);
  });

  test('headers beyond 16 KiB are answered with a problem', async () => {
    const { bank: quiet } = await hangingBank(2);
    const client = await open(quiet);
    client.write(`GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`);
    const [data] = (await once(client, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 431 /);
    expect(data.toString()).toContain('"code":"HEADERS_TOO_LARGE"');
  });
});
