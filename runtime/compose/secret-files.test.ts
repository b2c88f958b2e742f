import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readCertificates, readOptionalSecret, readSecret } from './secret-files.ts';

const FIELD = { field: 'stores.cache.redis.passwordFile', source: 'spec.redis.secret' };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-secrets-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function file(content: string | Buffer): Promise<string> {
  const name = path.join(folder, 'secret');
  await writeFile(name, content);
  return name;
}

test('a secret is what the file holds, without one line end', async () => {
  expect(readSecret(FIELD, await file('hunter2'))).toBe('hunter2');
  expect(readSecret(FIELD, await file('hunter2\n'))).toBe('hunter2');
  expect(readSecret(FIELD, await file(' hunter 2 \r\n'))).toBe(' hunter 2 ');
  expect(readSecret(FIELD, await file('hunter2\n\n'))).toBe('hunter2\n');
});

test('an optional secret may have no file, and nothing else', async () => {
  const none = path.join(folder, 'none');
  expect(readOptionalSecret(FIELD, none)).toBeUndefined();
  expect(() => readOptionalSecret(FIELD, folder)).toThrow('this is a folder, not a file');
  const empty = await file('\n');
  expect(() => readOptionalSecret(FIELD, empty)).toThrow('the file is empty');
});

test('what cannot be used is told with field, source and file, and without its content', async () => {
  const none = path.join(folder, 'none');
  expect(() => readSecret(FIELD, none)).toThrow(
    `stores.cache.redis.passwordFile (from spec.redis.secret): ${none} cannot be used: there is no such file.`,
  );
  const large = await file('hunter2'.repeat(20_000));
  expect(() => readSecret(FIELD, large)).toThrow(/too large: at most 65536 bytes are allowed\.[^2]*$/);
  const binary = await file(Buffer.from([0xff, 0x00]));
  expect(() => readSecret(FIELD, binary)).toThrow('this is no text in UTF-8');
});

test('certificates are PEM', async () => {
  expect(readCertificates(FIELD, undefined)).toBeUndefined();
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  expect(readCertificates(FIELD, await file(pem))).toBe(pem);
  const key = await file('-----BEGIN PRIVATE KEY-----\nhunter2\n');
  expect(() => readCertificates(FIELD, key)).toThrow(/there is no certificate in PEM in it\.[^2]*$/);
});
