import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { measureGets, percentile } from './latency.ts';

test('a percentile is a time that was measured', () => {
  const latencies = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(percentile(latencies, 0.5)).toBe(51);
  expect(percentile(latencies, 0.99)).toBe(100);
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([], 0.5)).toBeUndefined();
});

test('every request is timed, and one that fails ends it', async () => {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(asked < 20 ? 200 : 503).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const latencies = await measureGets(() => `http://127.0.0.1:${port}/`, 0);
  expect(latencies).toEqual([]);
  await expect(measureGets(() => `http://127.0.0.1:${port}/`, 60)).rejects.toThrow('was answered 503');
  expect(asked).toBe(20);
  server.close();
});
