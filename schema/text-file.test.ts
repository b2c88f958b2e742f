import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readTextFile } from './text-file.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-text-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(content: string | Buffer): Promise<string> {
  const name = path.join(folder, 'file');
  await writeFile(name, content);
  return name;
}

test('a text is read, without its byte order mark', async () => {
  expect(readTextFile(await file('\uFEFFkind: Ä\n'))).toEqual({ ok: true, text: 'kind: Ä\n' });
  expect(readTextFile(await file(''))).toEqual({ ok: true, text: '' });
});

test('the largest file that is allowed is read, and not a byte more', async () => {
  expect(readTextFile(await file('#'.repeat(128 * 1024)))).toMatchObject({ ok: true });
  const message = 'the file is too large: at most 131072 bytes are allowed';
  const tooLarge = { ok: false, message, isAbsent: false };
  expect(readTextFile(await file('#'.repeat(128 * 1024 + 1)))).toEqual(tooLarge);
  expect(readTextFile('/dev/zero')).toEqual(tooLarge);
  expect(readTextFile(await file('12345'), 5)).toMatchObject({ ok: true });
  expect(readTextFile(await file('123456'), 5)).toMatchObject({ ok: false });
});

test('what is no text file is said in a line', async () => {
  expect(readTextFile(path.join(folder, 'none'))).toEqual({
    ok: false,
    message: 'there is no such file',
    isAbsent: true,
  });
  expect(readTextFile(folder)).toMatchObject({
    message: 'this is a folder, not a file',
    isAbsent: false,
  });
  expect(readTextFile(await file(Buffer.from([0xff, 0xfe, 0x61, 0x00])))).toMatchObject({
    message: 'this is no text in UTF-8',
  });
});
