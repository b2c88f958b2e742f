import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { CommandRun } from '../helpers/command.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-check-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('check without a file looks at the example', async () => {
  const run = new CommandRun(['check']);
  expect(await run.exited).toEqual({ code: 0, signal: null });
  expect(run.stdout).toBe('Valid: MiniPlatform bank (examples/bank.yaml).\n');
  expect(run.stderr).toBe('');
});

test('check prints every fault and exits with 2', async () => {
  const file = path.join(folder, 'worker.yaml');
  await writeFile(file, 'apiVersion: mini-platform.io/v1alpha1\nkind: WorkerConfig\nlimits: {window: 0}\n');
  const run = new CommandRun(['check', 'examples/bank.yaml', file, path.join(folder, 'none.yaml')]);
  expect(await run.exited).toEqual({ code: 2, signal: null });
  expect(run.stdout.replaceAll(`${folder}/`, '')).toBe(
    [
      'none.yaml: there is no such file',
      'worker.yaml:1:1: dispatchers: is missing; must be a list of 1 to 32 items',
      'worker.yaml:1:1: stores: is missing; must be a map with eventLog, documentStore, cache',
      'worker.yaml:3:18: limits.window: must be a whole number from 1 to 16384, but is 0',
      '',
    ].join('\n'),
  );
});

test('check --json prints an object', async () => {
  const run = new CommandRun(['check', '--json']);
  expect(await run.exited).toEqual({ code: 0, signal: null });
  expect(JSON.parse(run.stdout)).toMatchObject({ ok: true, faults: [] });
});
