import { expect, test } from '@jest/globals';
import { mongodbAt, redisAt } from './service-titles.ts';

const redis = { keyPrefix: 'p:', tls: false };

test('Redis is where its server is, or its Sentinels', () => {
  expect(redisAt({ ...redis, url: 'rediss://redis.example:6379/3' })).toBe('Redis at redis.example:6379/3');
  expect(redisAt({ ...redis, sentinels: ['a:1', 'b:2'], masterName: 'main' })).toBe(
    'Redis main by the Sentinels at a:1, b:2',
  );
});

test.each([
  ['mongodb://m:27017', 'MongoDB at m:27017'],
  ['mongodb://me:pass@a:1,b:2/bank?w=1', 'MongoDB at a:1, b:2'],
  ['mongodb+srv://me:pass@cluster.example/?appName=x', 'MongoDB at cluster.example'],
  ['mongodb://[::1]:27017/', 'MongoDB at [::1]:27017'],
  // A password that is not percent-encoded, that stands alone, or where a string should be.
  ['mongodb://me:p@ss@m:27017/', 'MongoDB at m:27017'],
  ['mongodb://me:pa/ss@m:27017/', 'MongoDB at m:27017'],
  ['mongodb://me:hunter2', 'MongoDB'],
  ['hunter2', 'MongoDB'],
  ['', 'MongoDB'],
])('of %j only addresses are shown', (uri, shown) => {
  expect(mongodbAt(uri)).toBe(shown);
});
