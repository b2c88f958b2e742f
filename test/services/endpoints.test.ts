import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ownServers, testEndpoint } from './endpoints.ts';

let before: NodeJS.ProcessEnv;

beforeEach(() => {
  before = { ...process.env };
  for (const name of Object.keys(process.env))
    if (name.startsWith('TEST_')) Reflect.deleteProperty(process.env, name);
});

afterEach(() => {
  process.env = before;
});

test('endpoints come from the environment', () => {
  Object.assign(process.env, {
    TEST_KAFKA_BROKERS: '127.0.0.1:1,127.0.0.1:2',
    TEST_MONGODB_URI: 'mongodb://127.0.0.1:3/',
    TEST_REDIS_URL: 'redis://127.0.0.1:4',
    TEST_S3_ENDPOINT: 'http://127.0.0.1:5',
    TEST_S3_ACCESS_KEY_ID: 'id',
    TEST_S3_SECRET_ACCESS_KEY: 'secret',
  });
  expect(testEndpoint('kafka')).toEqual({ ok: true, brokers: ['127.0.0.1:1', '127.0.0.1:2'] });
  expect(testEndpoint('mongodb')).toEqual({ ok: true, uri: 'mongodb://127.0.0.1:3/' });
  expect(testEndpoint('redis')).toEqual({ ok: true, url: 'redis://127.0.0.1:4' });
  expect(testEndpoint('s3')).toEqual({
    ok: true,
    endpoint: 'http://127.0.0.1:5',
    accessKeyId: 'id',
    secretAccessKey: 'secret',
  });
});

test('a service that cannot be had says why', () => {
  process.env['TEST_KAFKA_UNAVAILABLE'] = 'java not found on the PATH';
  const reason = 'kafka is not to be had: java not found on the PATH';
  expect(testEndpoint('kafka')).toEqual({ ok: false, reason });
  expect(ownServers('kafka')).toEqual({ ok: false, reason });
});

test('without any word of it there is no endpoint, and a suite may still start servers', () => {
  expect(testEndpoint('redis')).toEqual({
    ok: false,
    reason: 'redis is not to be had: no endpoint is given: use npm test -- PATH',
  });
  expect(ownServers('redis')).toEqual({ ok: true });
});

test('an endpoint that is given is used where no server can be built', () => {
  process.env['TEST_REDIS_URL'] = 'redis://127.0.0.1:4';
  process.env['TEST_REDIS_UNAVAILABLE'] = 'no apt';
  expect(testEndpoint('redis').ok).toBe(true);
  expect(ownServers('redis').ok).toBe(false);
});
