import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROLE_CONFIGS } from '../../runtime/config/roles.ts';
import { invalidPlatforms } from '../../test/helpers/invalid-platforms.ts';
import { invalidConfigs, SECRETS, validConfigs } from '../../test/helpers/invalid-role-configs.ts';
import { checkFiles } from './check.ts';

const PLATFORM = 'apiVersion: mini-platform.io/v1alpha1\nkind: MiniPlatform\nmetadata:\n  name: bank\n';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-check-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(content: string, name = 'f.yaml'): Promise<string> {
  const whole = path.join(folder, name);
  await writeFile(whole, content);
  return whole;
}

/** The lines that are printed for a file, without its folder. */
async function linesOf(content: string): Promise<readonly string[]> {
  const { output } = checkFiles([await file(content)], { json: false });
  return output.trimEnd().replaceAll(`${folder}/`, '').split('\n');
}

describe('what is valid', () => {
  test('is told in one line', async () => {
    const one = await file(PLATFORM, 'one.yaml');
    const two = await file(validConfigs.map(({ yaml }) => yaml).join('---\n'), 'two.yaml');
    expect(checkFiles([one, two], { json: false })).toEqual({
      output:
        `Valid: MiniPlatform bank (${one}), DispatcherConfig (${two}), WorkerConfig (${two}), ` +
        `FeederConfig (${two}), ArchiverConfig (${two}).\n`,
      exitCode: 0,
    });
  });

  test('is told as JSON', async () => {
    const valid = await file(`${PLATFORM}---\n${validConfigs[1]?.yaml ?? ''}`);
    const { output, exitCode } = checkFiles([valid], { json: true });
    expect(exitCode).toBe(0);
    expect(JSON.parse(output)).toEqual({
      ok: true,
      checked: [
        { file: valid, line: 1, what: 'MiniPlatform bank' },
        { file: valid, line: 5, what: 'WorkerConfig' },
      ],
      faults: [],
    });
  });
});

describe('what is wrong', () => {
  test('is told with file, line, field, value and what is allowed, for every document', async () => {
    const faulty = `${PLATFORM}spec:\n  paused: 1\n---\nkind: Pod\n---\n${validConfigs[2]?.yaml ?? ''}interval: 1d\n---\na: @b\n`;
    expect(await linesOf(faulty)).toEqual([
      'f.yaml:6:11: spec.paused: must be true or false, but is 1',
      'f.yaml:8:7: kind: must be one of MiniPlatform, DispatcherConfig, WorkerConfig, FeederConfig, ArchiverConfig, but is "Pod"',
      'f.yaml:14:11: interval: must be a duration from 1s to 24h, but is "1d"',
      'f.yaml:16:4: is not valid YAML: Plain value cannot start with reserved character @',
    ]);
  });

  test('is told as JSON, with exit code 2', async () => {
    const faulty = await file(`${PLATFORM}spec:\n  worker: {replicas: many}\n`);
    const { output, exitCode } = checkFiles([faulty, path.join(folder, 'none')], { json: true });
    expect(exitCode).toBe(2);
    expect(JSON.parse(output)).toEqual({
      ok: false,
      checked: [{ file: faulty, line: 1, what: 'MiniPlatform' }],
      faults: [
        { file: path.join(folder, 'none'), message: 'there is no such file' },
        {
          file: faulty,
          line: 6,
          column: 22,
          field: 'spec.worker.replicas',
          value: '"many"',
          message: 'must be a whole number from 0 to 100, but is "many"',
        },
      ],
    });
  });

  test.each([
    ['an empty file', '', 'f.yaml:1:1: is empty; it must hold a MiniPlatform or the configuration of a role'],
    [
      'comments',
      '# a\n---\n',
      'f.yaml:1:1: is empty; it must hold a MiniPlatform or the configuration of a role',
    ],
    ['a text, which may be a secret', 'hunter2', 'f.yaml:1:1: must be a map with kind, but is a text'],
    ['a list', '- a', 'f.yaml:1:1: must be a map with kind, but is a list of 1 item'],
    [
      'no kind',
      'a: 1',
      'f.yaml:1:1: kind: is missing; must be one of MiniPlatform, DispatcherConfig, WorkerConfig, FeederConfig, ArchiverConfig',
    ],
    [
      'a kind that is no text',
      'kind: [MiniPlatform]',
      'f.yaml:1:7: kind: must be one of MiniPlatform, DispatcherConfig, WorkerConfig, FeederConfig, ArchiverConfig, but is a list of 1 item',
    ],
    ['a tab', `${PLATFORM}\tspec: {}`, 'f.yaml:5:1: is not valid YAML: Tabs are not allowed as indentation'],
  ])('%s', async (_, content, line) => {
    expect(await linesOf(content)).toEqual([line]);
  });

  test('every platform that must be refused is, and every configuration', async () => {
    const platforms = invalidPlatforms.filter(({ old }) => old === undefined);
    for (const { yaml } of [...platforms, ...invalidConfigs]) {
      const whole = await file(yaml);
      const { output, exitCode } = checkFiles([whole], { json: false });
      // Another kind than the one asked for is valid here, and so are several documents.
      const { ok } = JSON.parse(checkFiles([whole], { json: true }).output) as { readonly ok: boolean };
      expect(exitCode).toBe(ok ? 0 : 2);
      expect(output).not.toMatch(SECRETS);
    }
  });
});

describe('the examples of docs/configuration.md', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);

  test.each(Object.values(ROLE_CONFIGS).map(({ kind }) => kind))('%s is valid', async (kind) => {
    const example = examples.filter((yaml) => yaml.includes(`kind: ${kind}\n`));
    expect(example).toHaveLength(1);
    expect(await linesOf(example.join())).toEqual([`Valid: ${kind} (f.yaml).`]);
  });
});
