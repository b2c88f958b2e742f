import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EmbeddedObjectStore } from '../../runtime/adapters/embedded/object-store.ts';
import { Batch } from '../../runtime/archive/batch.ts';
import { toMetadata } from '../../runtime/archive/object-facts.ts';
import { objectKey } from '../../runtime/archive/object-key.ts';
import { CommandRun, createWorkspace, startPlatform, type Workspace } from '../helpers/command.ts';
import { eventually } from '../helpers/eventually.ts';

const shell = promisify(execFile);
const BUCKET = 'default-bank';
const HOUR_MS = 3_600_000;

let workspace: Workspace;
let runs: CommandRun[] = [];

beforeEach(async () => {
  workspace = await createWorkspace();
});
afterEach(async () => {
  await Promise.all(runs.map((run) => run.stop('SIGKILL')));
  runs = [];
  await workspace.remove();
});

/** Where the platforms of the workspace keep their state. */
function stateDir(): string {
  return path.join(workspace.folder, 'state');
}

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function archive(...args: readonly string[]): Promise<Result> {
  const run = new CommandRun(['archive', ...args, workspace.file, '--state-dir', stateDir()]);
  runs.push(run);
  const { code } = await run.exited;
  return { code, stdout: run.stdout, stderr: run.stderr };
}

/** An archive of two partitions with two objects of so many records each, one a minute up to now. */
async function written(perObject = 2): Promise<void> {
  const objects = await EmbeddedObjectStore.open(path.join(stateDir(), 'bank', 'objects'));
  await objects.ensureBuckets([BUCKET]);
  const begin = Date.now() - 4 * perObject * 60_000;
  for (let place = 0; place < 4; place += 1) {
    const chain = { topic: 'long_term_storage', generation: 'generation', partition: place % 2 };
    const from = place < 2 ? 0 : perObject;
    const batch = new Batch(BigInt(from));
    for (let offset = from; offset < from + perObject; offset += 1) {
      const id = `event-${chain.partition}-${offset}`;
      const value = Buffer.from(JSON.stringify({ id }));
      const timestamp = begin + (place * perObject + offset - from) * 60_000;
      batch.add({ partition: chain.partition, offset: BigInt(offset), timestamp, key: id, value });
    }
    const { body, facts } = await batch.pack();
    await objects.put(BUCKET, objectKey(chain, facts.from), body, { metadata: toMetadata(facts) });
  }
  await objects.close();
}

/** The file of the first object in the embedded store. */
async function firstFile(): Promise<string> {
  const folder = path.join(stateDir(), 'bank', 'objects', 'buckets', BUCKET);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const [file] = files.map((entry) => path.join(entry.parentPath, entry.name)).toSorted();
  if (file === undefined) throw new Error(`there is no object in ${folder}`);
  return file;
}

function jsonLines(text: string): readonly unknown[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe('archive verify', () => {
  test('says that a whole archive is whole', async () => {
    await written();
    expect(await archive('verify')).toEqual({
      code: 0,
      stderr: '',
      stdout:
        'long_term_storage/generation/0: 2 objects, 4 records, offsets 0 to 3\n' +
        'long_term_storage/generation/1: 2 objects, 4 records, offsets 0 to 3\n' +
        'The archive default-bank is whole: 8 records in 4 objects of 2 partitions.\n',
    });
  });

  test('tells what is wrong, as lines and as JSON, and ends with 1', async () => {
    await written();
    const file = await firstFile();
    const bytes = await readFile(file);
    bytes[bytes.length - 30] = (bytes[bytes.length - 30] ?? 0) ^ 1;
    await writeFile(file, bytes);
    const { code, stdout } = await archive('verify');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^checksum: long_term_storage\/generation\/0\/0{20}\.ndjson\.gz: its bytes have SHA-256/m,
    );
    expect(stdout).toContain('The archive default-bank is not whole: ');
    const json = await archive('verify', '--json');
    expect(json.code).toBe(1);
    const lines = jsonLines(json.stdout);
    expect(lines[0]).toMatchObject({ type: 'finding', key: expect.stringContaining('generation/0') });
    expect(lines.at(-2)).toEqual({
      type: 'partition',
      topic: 'long_term_storage',
      generation: 'generation',
      partition: 1,
      objects: 2,
      records: 4,
      first: 0,
      last: 3,
      findings: 0,
    });
    expect(lines.at(-1)).toMatchObject({ type: 'summary', bucket: BUCKET, partitions: 2, objects: 4 });
  });

  test('says which file is no object any more', async () => {
    await written();
    const file = await firstFile();
    await writeFile(file, '');
    const { code, stderr } = await archive('verify');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`is damaged: ${file}`) });
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});

describe('archive cat', () => {
  test('prints records with their place, of the time that is asked for', async () => {
    await written();
    const { code, stdout } = await archive('cat');
    expect(code).toBe(0);
    const records = jsonLines(stdout);
    expect(records).toHaveLength(8);
    expect(records[0]).toEqual({
      topic: 'long_term_storage',
      generation: 'generation',
      partition: 0,
      offset: 0,
      timestamp: expect.any(Number),
      key: 'event-0-0',
      value: { id: 'event-0-0' },
    });
    // The last of four objects holds the last two minutes; a minute for a slow machine.
    const recent = await archive('cat', '--from', '3m', '--to', new Date(Date.now() + HOUR_MS).toISOString());
    expect(jsonLines(recent.stdout).at(-1)).toMatchObject({ key: 'event-1-3' });
    expect(jsonLines(recent.stdout).length).toBeLessThan(4);
    const one = await archive('cat', '--id', 'event-1-2');
    expect(jsonLines(one.stdout)).toMatchObject([{ partition: 1, offset: 2 }]);
    expect(await archive('cat', '--to', '2020-01-01')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('ends quietly when its reader has enough', async () => {
    await written(2_000);
    const main = path.resolve('cli', 'main.mjs');
    const command = `"${process.execPath}" "${main}" archive cat "$0" --state-dir "$1" | head -n 1`;
    const { stdout, stderr } = await shell('sh', ['-c', command, workspace.file, stateDir()]);
    expect(jsonLines(stdout)).toMatchObject([{ offset: 0 }]);
    expect(stderr).toBe('');
  });

  test('prints what can be read of a damaged archive, and ends with 1', async () => {
    await written();
    const file = await firstFile();
    const bytes = await readFile(file);
    await writeFile(file, Buffer.concat([bytes.subarray(0, bytes.indexOf('\n') + 1), Buffer.alloc(5)]));
    const { code, stdout, stderr } = await archive('cat');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('generation/0/') });
    expect(jsonLines(stdout)).toHaveLength(6);
  });

  test.each([
    { args: ['--from', 'yesterday'], says: 'a time is ISO 8601' },
    { args: ['--from', '1h', '--to', '2h'], says: '--from must be before --to' },
  ])('refuses $args', async ({ args, says }) => {
    const { code, stderr } = await archive('cat', ...args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(says) });
  });
});

test.each(['verify', 'cat'])('archive %s says in one line that there is no archive', async (command) => {
  await mkdir(path.join(stateDir(), 'bank'), { recursive: true });
  const { code, stdout, stderr } = await archive(command);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^Platform bank has no archive in \S+ \(bucket default-bank\): start it once .*--state-dir.*\n$/,
  );
});

test('both work beside a running platform', async () => {
  await workspace.write(1, '  archiver:\n    maxAge: 1s\n');
  const { run, url } = await startPlatform(workspace);
  runs.push(run);
  const response = await fetch(`${url}/transaction`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'key-1' },
    body: JSON.stringify({ sender: 'alice', receiver: 'bob', amount: 1250 }),
  });
  expect(response.status).toBe(201);
  const line = await eventually(
    'the event is archived',
    async () => (await archive('cat', '--id', 'key-1')).stdout.trimEnd() || undefined,
    20_000,
  );
  expect(JSON.parse(line)).toMatchObject({
    key: 'key-1',
    value: { content: { sender: 'alice', amount: 1250 } },
  });
  expect(await archive('verify')).toMatchObject({ code: 0 });
  expect((await run.stop('SIGTERM')).code).toBe(0);
});
