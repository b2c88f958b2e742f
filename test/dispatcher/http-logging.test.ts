import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Level, pino } from 'pino';
import { type BankHttp, bankHttp } from '../helpers/bank-http.ts';
import { eventually } from '../helpers/eventually.ts';

let bank: BankHttp;
let lines: Record<string, unknown>[];

afterEach(() => bank.http.close());

/** A bank whose worker gives an answer that no client may see. */
async function start(level: Level | 'silent'): Promise<void> {
  lines = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const logger = pino({ level, base: null }, { write });
  bank = await bankHttp({ logger, answer: () => ({ verdict: 'KEY_REUSED' }) });
}

async function causeDefect(): Promise<void> {
  expect((await bank.http.inject({ url: '/fetch/all/ada' })).statusCode).toBe(500);
}

describe('the log of HTTP', () => {
  test.each(['trace', 'info', 'warn', 'error'] as const)('at %s has a line for a defect', async (level) => {
    await start(level);
    await causeDefect();
    expect(lines).toEqual([
      expect.objectContaining({ level: 50, msg: 'a request failed', requestId: 'req-1' }),
    ]);
  });

  test('has none where logging is off', async () => {
    await start('silent');
    await causeDefect();
    expect(lines).toEqual([]);
  });

  test('has none for what clients do wrong', async () => {
    await start('info');
    await bank.http.inject({ url: '/nowhere' });
    await bank.http.inject({ url: '/fetch/all/%zz' });
    await bank.http.inject({ method: 'POST', url: '/transaction', payload: { sender: 'ada' } });
    expect(lines).toEqual([]);
  });

  test('has none for a client that goes away in the middle of its body', async () => {
    await start('info');
    await bank.http.listen({ host: '127.0.0.1', port: 0 });
    const client = connect((bank.http.server.address() as AddressInfo).port, '127.0.0.1');
    await once(client, 'connect');
    client.write('POST /transaction HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n');
    client.write('content-length: 100\r\n\r\n{');
    await eventually('the body is being read', () => bank.requests.inFlight === 1);
    client.destroy();
    await eventually('it is over', () => bank.requests.inFlight === 0);
    expect(lines).toEqual([]);
  });
});
