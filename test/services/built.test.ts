import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ensureBuilt, type Recipe } from './built.ts';

let cache: string;
let before: string | undefined;

beforeEach(async () => {
  // Its progress is no part of the tests' output.
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  cache = await mkdtemp(path.join(tmpdir(), 'mini-platform-cache-'));
  before = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = cache;
});

afterEach(async () => {
  jest.restoreAllMocks();
  if (before === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = before;
  await rm(cache, { recursive: true });
});

function recipe(build: Recipe['build']): Recipe {
  return { folder: 'thing-1.0', what: 'a thing, for a test', build };
}

test('what several ask for at once is built once', async () => {
  let builds = 0;
  const thing = recipe(async (folder) => {
    builds += 1;
    await writeFile(path.join(folder, 'file'), 'content');
  });
  const folders = await Promise.all([ensureBuilt(thing), ensureBuilt(thing), ensureBuilt(thing)]);
  expect(builds).toBe(1);
  expect(new Set(folders).size).toBe(1);
  expect(await readFile(path.join(folders[0], 'file'), 'utf8')).toBe('content');
});

test('a build that fails leaves nothing, says why, and may be tried again', async () => {
  const failing = recipe(async (folder) => {
    await writeFile(path.join(folder, 'half'), '');
    throw new Error('no network');
  });
  await expect(ensureBuilt(failing)).rejects.toMatchObject({
    name: 'ServiceUnavailable',
    message: 'building a thing, for a test failed: no network',
  });
  const made = await ensureBuilt(recipe(() => Promise.resolve()));
  expect(await readdir(made)).toEqual([]);
});

test('what is not there before it is whole: a build that was killed is begun anew', async () => {
  const half = path.join(cache, 'mini-platform', 'thing-1.0.unfinished');
  await ensureBuilt(recipe(() => Promise.resolve()));
  await rm(path.join(cache, 'mini-platform', 'thing-1.0'), { recursive: true });
  await writeFile(half, 'left by a build that was killed');
  const made = await ensureBuilt(
    recipe(() => {
      expect(existsSync(path.join(cache, 'mini-platform', 'thing-1.0'))).toBe(false);
      return Promise.resolve();
    }),
  );
  expect(await readdir(made)).toEqual([]);
  expect(existsSync(half)).toBe(false);
});
