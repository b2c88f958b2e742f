import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { S3ObjectStore } from '../../runtime/adapters/s3/object-store.ts';
import { Batch } from '../../runtime/archive/batch.ts';
import { toMetadata } from '../../runtime/archive/object-facts.ts';
import { objectKey } from '../../runtime/archive/object-key.ts';
import { unique } from '../contract/waiting.ts';
import { CommandRun, createWorkspace, type Workspace } from '../helpers/command.ts';
import { removeBucket } from '../helpers/s3-bucket.ts';
import { testEndpoint } from '../services/endpoints.ts';

const CHAIN = { topic: 'long_term_storage', generation: 'generation', partition: 0 };
const s3 = testEndpoint('s3');

(s3.ok ? describe : describe.skip)(`the archive commands on S3${s3.ok ? '' : ` (${s3.reason})`}`, () => {
  const endpoint = s3.ok ? s3.endpoint : '';
  const keys = s3.ok ? s3 : { accessKeyId: '', secretAccessKey: '' };
  let workspace: Workspace;
  let secretsDir: string;
  let bucket: string;
  let objects: S3ObjectStore;
  let isMade: boolean;
  let runs: CommandRun[] = [];
  const server = { endpoint, region: 'us-east-1', credentials: keys };

  const secret = async (key: string, value: string): Promise<void> => {
    await mkdir(path.join(secretsDir, 'archive-key'), { recursive: true });
    await writeFile(path.join(secretsDir, 'archive-key', key), value);
  };
  const names = (at: string): Promise<void> =>
    workspace.write(
      1,
      `  s3:\n    endpoint: ${at}\n    buckets: { archive: ${bucket} }\n    secret: { name: archive-key }\n`,
    );

  beforeEach(async () => {
    workspace = await createWorkspace();
    secretsDir = path.join(workspace.folder, 'secrets');
    bucket = unique('archive').replaceAll('_', '-');
    await names(endpoint);
    await secret('accessKeyId', `${keys.accessKeyId}\n`);
    await secret('secretAccessKey', `${keys.secretAccessKey}\n`);
    objects = new S3ObjectStore({ ...server, observer: { up() {}, down() {}, reconnected() {}, sent() {} } });
    isMade = false;
  });
  afterEach(async () => {
    await Promise.all(runs.map((run) => run.stop('SIGKILL')));
    runs = [];
    await objects.close();
    if (isMade) await removeBucket(server, bucket);
    await workspace.remove();
  });

  const archive = async (
    command: string,
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> => {
    const run = new CommandRun(['archive', command, workspace.file, '--secrets-dir', secretsDir, ...args]);
    runs.push(run);
    const { code } = await run.exited;
    return { code, stdout: run.stdout, stderr: run.stderr };
  };

  /** Two objects of two records each; the second begins so many offsets behind the first. */
  const written = async (gap = 0): Promise<void> => {
    await objects.ensureBuckets([bucket]);
    isMade = true;
    for (const from of [0, 2 + gap]) {
      const batch = new Batch(BigInt(from));
      for (const offset of [from, from + 1]) {
        const value = Buffer.from(JSON.stringify({ id: `event-${offset}` }));
        batch.add({
          partition: 0,
          offset: BigInt(offset),
          timestamp: Date.now(),
          key: `event-${offset}`,
          value,
        });
      }
      const { body, facts } = await batch.pack();
      const options = { ifAbsent: true, metadata: toMetadata(facts) };
      await objects.put(bucket, objectKey(CHAIN, facts.from), body, options);
    }
  };

  test('verify says that a whole archive is whole, and cat prints what is asked for', async () => {
    await written();
    expect(await archive('verify')).toEqual({
      code: 0,
      stderr: '',
      stdout:
        'long_term_storage/generation/0: 2 objects, 4 records, offsets 0 to 3\n' +
        `The archive ${bucket} is whole: 4 records in 2 objects of 1 partition.\n`,
    });
    const { code, stdout } = await archive('cat', '--from', '1h', '--id', 'event-2');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(JSON.parse(stdout)).toMatchObject({ partition: 0, offset: 2, value: { id: 'event-2' } });
  });

  test('verify finds a gap', async () => {
    await written(1);
    const { code, stdout } = await archive('verify');
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('gap') });
  });

  test('each says in one line that there is no archive, that keys are wrong, and that the store is away', async () => {
    const says = async (message: RegExp): Promise<void> => {
      const { code, stdout, stderr } = await archive('verify');
      expect({ code, stdout, stderr }).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(message),
      });
      expect(stderr.trimEnd()).not.toContain('\n');
      expect(stderr).not.toContain('not-the-secret');
    };
    await says(new RegExp(`^Platform bank has no archive in ${endpoint} \\(bucket ${bucket}\\)`));
    await secret('secretAccessKey', 'not-the-secret');
    await says(/^The archive cannot be read: .* correct spec\.s3\.secret/);
    await secret('secretAccessKey', '');
    await says(/^The archive cannot be read: .*secretAccessKeyFile .*spec\.s3\.secret.* the file is empty/);
    await secret('secretAccessKey', keys.secretAccessKey);
    await names('http://127.0.0.1:1');
    await says(/^The archive cannot be read: .*http:\/\/127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/);
  });
});
