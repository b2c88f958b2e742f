import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Needed, neededServices } from './needed.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-needed-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** What the first of these files needs. */
async function neededBy(files: Readonly<Record<string, string>>): Promise<Needed> {
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const [first = ''] = Object.keys(files);
  return neededServices([path.join(folder, first)]);
}

test('a suite that asks for nothing needs nothing', async () => {
  const needed = await neededBy({
    'a.test.ts': `import { testEndpoint, ownServers } from './endpoints.ts';`,
  });
  expect(needed).toEqual({ shared: new Set(), own: new Set() });
});

test('what a suite calls by name is needed, shared or its own', async () => {
  const text = `const a = testEndpoint('kafka'), b = testEndpoint('s3'), c = ownServers('redis');`;
  const needed = await neededBy({ 'a.test.ts': text });
  expect(needed).toEqual({ shared: new Set(['kafka', 's3']), own: new Set(['redis']) });
});

test('what its imports need is needed, at any depth and in circles', async () => {
  const needed = await neededBy({
    'a.test.ts': `import { b } from './b.ts';`,
    'b.ts': `const c = await import('./c.ts'); export { b } from 'a-package';`,
    'c.ts': `import './absent.ts'; import { b } from './b.ts'; testEndpoint('mongodb');`,
    'not-imported.ts': `testEndpoint('s3');`,
  });
  expect(needed.shared).toEqual(new Set(['mongodb']));
});

test('a use without a name needs everything', async () => {
  const needed = await neededBy({ 'a.test.ts': `SERVICE_NAMES.map(ownServers)` });
  expect(needed).toEqual({ shared: new Set(), own: new Set(['kafka', 'mongodb', 'redis', 's3']) });
});
