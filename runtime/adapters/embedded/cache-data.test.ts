import { expect, test } from '@jest/globals';
import { CacheData } from './cache-data.ts';
import { EmbeddedCache } from './cache.ts';

test('keys that have expired and that nobody reads are dropped bit by bit by later writes', async () => {
  let now = 0;
  const data = new CacheData(() => now);
  const cache = new EmbeddedCache(data);
  for (let n = 0; n < 100; n++) {
    const key = `key ${n}`;
    await cache.apply([
      { op: 'add', key, members: ['a'] },
      { op: 'expire', key, ttlMs: n % 2 === 0 ? 10 : 1_000 },
    ]);
  }
  now = 10;
  await cache.apply([]);
  expect(data.size).toBeGreaterThan(80);
  for (let n = 0; n < 20; n++) await cache.apply([]);
  expect(data.size).toBe(50);
});

test('each data is a server of its own', () => {
  expect(new CacheData().serverId).not.toBe(new CacheData().serverId);
});
