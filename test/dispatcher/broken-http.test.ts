import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { type BankHttp, bankHttp } from '../helpers/bank-http.ts';
import { eventually, within } from '../helpers/eventually.ts';

let bank: BankHttp | undefined;

afterEach(() => bank?.http.close());

/** Sends bytes over a bare connection and resolves to all that comes back until the server closes it. */
async function exchange({ http }: BankHttp, bytes: string): Promise<string> {
  await http.listen({ host: '127.0.0.1', port: 0 });
  // It listens on a port, not on a pipe.
  const { port } = http.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => (answer += data.toString()));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(bytes);
  await within('the server closes the connection', closed, 10_000);
  return answer;
}

const HEAD = 'POST /transaction HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';

test('a request whose body never arrives whole is answered with 408', async () => {
  bank = await bankHttp({ requestTimeoutMs: 200 });
  const answer = await exchange(bank, `${HEAD}content-length: 100\r\n\r\n{`);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('"code":"REQUEST_TIMEOUT"');
  expect(answer).toContain('content-type: application/problem+json');
  const { requests } = bank;
  await eventually('its place is free again', () => requests.inFlight === 0);
});

test('what is not HTTP is answered with 400', async () => {
  bank = await bankHttp();
  const answer = await exchange(bank, 'HELLO\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('"code":"MALFORMED_HTTP"');
});

test('headers without end are answered with 431', async () => {
  bank = await bankHttp();
  const answer = await exchange(bank, `${HEAD}x-long: ${'a'.repeat(20_000)}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  expect(answer).toContain('"code":"HEADERS_TOO_LARGE"');
});
