import { describe, expect, test } from '@jest/globals';
import { addressName, dialOptions, parseAddress, type RedisOptions, urlAddress } from './options.ts';

const observer = { up: () => {}, down: () => {}, reconnected: () => {}, sent: () => {} };
const options = (server: RedisOptions['server']): RedisOptions => ({ server, keyPrefix: 'p:', observer });

describe('addresses', () => {
  test.each([
    ['redis://redis.example:7000', 'redis.example', 7000],
    ['rediss://redis.example', 'redis.example', 6379],
    ['redis://127.0.0.1:6380/3', '127.0.0.1', 6380],
    ['redis://[::1]:6380/3', '::1', 6380],
    ['redis://[2001:db8::1]', '2001:db8::1', 6379],
  ])('of %s', (url, host, port) => {
    expect(urlAddress(url)).toEqual({ host, port });
  });

  test.each(['sentinel.example:26379', '[::1]:26379'])('%s is read and written', (text) => {
    expect(addressName(parseAddress(text))).toBe(text);
  });
});

describe('how to connect', () => {
  test('follows from a URL', () => {
    expect(dialOptions(options({ url: 'redis://r:1' }))).toMatchObject({ tls: undefined, database: 0 });
    expect(dialOptions({ ...options({ url: 'rediss://r:1/12' }), ca: 'PEM' })).toMatchObject({
      tls: { ca: 'PEM' },
      database: 12,
    });
  });

  test('follows from the fields beside Sentinels', () => {
    const sentinels = { sentinels: ['s:1'], masterName: 'main' };
    expect(dialOptions(options({ ...sentinels, tls: false }))).toMatchObject({ tls: undefined });
    expect(dialOptions({ ...options({ ...sentinels, tls: true }), password: 'p' })).toMatchObject({
      tls: { ca: undefined },
      login: { username: undefined, password: 'p' },
      settings: { address: 'spec.redis.sentinels', tls: 'spec.redis.tls' },
    });
  });

  test('never throws: what is no URL is a host that cannot be found', () => {
    expect(urlAddress('no url')).toEqual({ host: 'no url', port: 6379 });
    expect(dialOptions(options({ url: 'no url' }))).toMatchObject({ database: 0 });
  });
});
