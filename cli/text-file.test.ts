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
  expect(readTextFile(await file('#'.repeat(128 * 1024 + 1)))).toEqual({ ok: false, message });
  expect(readTextFile('/dev/zero')).toEqual({ ok: false, message });
});

test('what is no text file is said in a line', async () => {
  expect(readTextFile(path.join(folder, 'none'))).toEqual({ ok: false, message: 'there is no such file' });
  expect(readTextFile(folder)).toEqual({ ok: false, message: 'this is a folder, not a file' });
  expect(readTextFile(await file(Buffer.from([0xff, 0xfe, 0x61, 0x00])))).toEqual({
    ok: false,
    message: 'this is no text in UTF-8',
  });
});
