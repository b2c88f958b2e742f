import { execFile, fork, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Load, LoadGenerator, LoadResult } from './load.ts';
import { withScope } from './scope.ts';
import { parseWrkOutput, wrkArguments, wrkScript } from './wrk-output.ts';

const execute = promisify(execFile);
/** A generator that has not ended so long after its time never will. */
const GRACE_MS = 30_000;

/** Takes wrk where it is installed, for it needs less CPU per request, and otherwise autocannon. */
export function findLoadGenerator(): LoadGenerator {
  const { error } = spawnSync('wrk', ['-v'], { stdio: 'ignore' });
  return error === undefined ? { name: 'wrk', run: runWrk } : { name: 'autocannon', run: runAutocannon };
}

function runWrk(load: Load): Promise<LoadResult> {
  return withScope(async (scope) => {
    const script = path.join(await scope.temporaryDirectory(), 'load.lua');
    await writeFile(script, wrkScript(load));
    // The shell is there to tell the CPU time of a process that has ended, on any system.
    const { stdout } = await execute(
      '/bin/sh',
      ['-c', '"$@"; status=$?; times; exit $status', 'sh', 'wrk', ...wrkArguments(load, script)],
      { timeout: deadlineMs(load), env: { ...process.env, LC_ALL: 'C' } },
    );
    return parseWrkOutput(stdout);
  });
}

/** Runs autocannon in a process of its own: its work must not wait for ours, and its CPU time is told apart. */
function runAutocannon(load: Load): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(import.meta.dirname, 'autocannon-process.ts'), {
      stdio: ['ignore', 2, 2, 'ipc'],
      timeout: deadlineMs(load),
      execArgv: [],
    });
    child.once('message', (message) => resolve(message as LoadResult));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`autocannon ended with ${code ?? 'a signal'}`)));
    child.send(load);
  });
}

function deadlineMs({ seconds }: Load): number {
  return seconds * 1000 + GRACE_MS;
}
