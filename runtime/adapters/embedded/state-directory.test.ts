import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateDirectory } from './state-directory.ts';

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'mini-platform-'));
});

afterEach(async () => {
  await rm(base, { recursive: true });
});

test('makes the directory for this user only', async () => {
  const state = await StateDirectory.open(join(base, 'deeper'), 'bank');
  expect(state.path).toBe(join(base, 'deeper', 'bank'));
  expect((await stat(state.path)).mode & 0o777).toBe(0o700);
  await state.close();
});

test('a directory in use is refused with one line that says what to do, until it is closed', async () => {
  const state = await StateDirectory.open(base, 'bank');
  await expect(StateDirectory.open(base, 'bank')).rejects.toMatchObject({
    name: 'StateDirectoryError',
    reason: 'in-use',
    message: expect.stringMatching(/^.*bank is in use by another process: stop that one.*$/),
  });
  const other = await StateDirectory.open(base, 'another');
  await other.close();
  await state.close();
  await state.close();
  const again = await StateDirectory.open(base, 'bank');
  await again.close();
});

test('the lock dies with the process that holds it, even when it is killed', async () => {
  const script = `
    const { StateDirectory } = await import(${JSON.stringify(new URL('./state-directory.ts', import.meta.url).href)});
    await StateDirectory.open(${JSON.stringify(base)}, 'bank');
    process.send('locked');
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  await expect(StateDirectory.open(base, 'bank')).rejects.toMatchObject({ reason: 'in-use' });
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  const state = await StateDirectory.open(base, 'bank');
  await state.close();
});

test('a file in the way, or anywhere on the way, is not writable', async () => {
  await writeFile(join(base, 'file'), '');
  const fault = {
    name: 'StateDirectoryError',
    reason: 'not-writable',
    message: expect.stringMatching(/^.*file.* cannot be written .*: make it a writable directory.*$/),
  };
  await expect(StateDirectory.open(base, 'file')).rejects.toMatchObject(fault);
  await expect(StateDirectory.open(join(base, 'file', 'deeper'), 'bank')).rejects.toMatchObject(fault);
});

test('a directory that the system does not let us write is not writable', async () => {
  // Nobody may make files there, root included.
  await expect(StateDirectory.open('/proc', 'bank')).rejects.toMatchObject({ reason: 'not-writable' });
});
