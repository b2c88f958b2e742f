import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { storeConfigs } from '../../cli/up/store-configs.ts';
import { loadMiniPlatform } from '../../resource/load.ts';
import { eventually } from '../helpers/eventually.ts';
import { ownServers, SERVICE_NAMES } from './endpoints.ts';
import { tracesOf } from './traces.ts';

const SLOW_MS = 240_000;
const GONE_MS = 20_000;

const missing = SERVICE_NAMES.map(ownServers).find(({ ok }) => !ok);
const reason = missing?.ok === false ? ` (${missing.reason})` : '';
const suite = reason === '' ? describe : describe.skip;

suite(`npm run services${reason}`, () => {
  test(
    'prints a platform with its secrets, and leaves nothing after Ctrl-C',
    async () => {
      const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      const file = await firstLine(child);
      const folder = path.dirname(file);
      const loaded = loadMiniPlatform(await readFile(file, 'utf8'), file);
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
      const stores = JSON.stringify(storeConfigs(loaded.resource, path.join(folder, 'secrets')));
      const secrets = [...stores.matchAll(/"(?:uri|password|accessKeyId|secretAccessKey)File":"([^"]+)"/g)];
      expect(secrets.filter(([, secret = '']) => existsSync(secret))).toHaveLength(4);
      const children = await childrenOf(child.pid ?? 0);
      expect(children.length).toBeGreaterThanOrEqual(SERVICE_NAMES.length);

      const exited = once(child, 'exit');
      child.kill('SIGINT');
      expect(await exited).toEqual([0, null]);
      const isGone = (): boolean => children.every((pid) => !existsSync(`/proc/${pid}`));
      await eventually('no process is left', isGone, GONE_MS);
      expect(await tracesOf(folder)).toEqual([]);
    },
    SLOW_MS,
  );
});

/** The file that its first line names. */
async function firstLine(child: ChildProcessByStdio<null, Readable, null>): Promise<string> {
  const lines = createInterface(child.stdout);
  const [line] = (await once(lines, 'line')) as [string];
  return line.replace('# ', '');
}

async function childrenOf(pid: number): Promise<readonly string[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ');
}
