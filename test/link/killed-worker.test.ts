import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from '@jest/globals';
import { FailureCause } from '../../runtime/generated/miniplatform/link/v1/link.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { dial, operation, QUICK, textOf } from '../helpers/link-pair.ts';

let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
});

/** Starts the worker; resolves to its port. `lines` collects what it prints. */
async function start(lines: string[]): Promise<number> {
  const script = join(import.meta.dirname, '../helpers/link-worker.ts');
  const process_ = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  child = process_;
  createInterface(process_.stdout).on('line', (line) => lines.push(line));
  const first = await eventually('the port of the worker', () => lines[0], 20_000);
  return Number(first.replace('port ', ''));
}

test('a worker that is killed with work in flight: what it answered stands, the rest is LINK_LOST at once', async () => {
  const lines: string[] = [];
  const limits = { ...QUICK, deadAfterMs: 10_000, handshakeMs: 10_000 };
  const link = dial(`127.0.0.1:${await start(lines)}`, { limits });
  await within('the handshake', link.opened, 10_000);

  const echoed = await Promise.all([1, 2, 3].map((n) => link.client.send(operation(`echo ${n}`))));
  expect(echoed.map(textOf)).toEqual(['echo 1', 'echo 2', 'echo 3']);

  const held = [1, 2, 3].map((n) => link.client.send(operation(`hold ${n}`)));
  await eventually('the worker holds them', () => lines.filter((line) => line === 'held').length === 3);
  const gone = child === undefined ? undefined : once(child, 'exit');
  child?.kill('SIGKILL');
  await gone;
  // The closed connection tells, long before the heartbeat could.
  const results = await within('the failures', Promise.all(held), 2_000);
  expect(results).toEqual(
    held.map(() => ({
      $case: 'failure',
      value: expect.objectContaining({ cause: FailureCause.LINK_LOST, attempted: true }),
    })),
  );
  expect(link.client.inFlight).toBe(0);
  expect(link.client.state).toBe('closed');
  expect(link.closings).toHaveLength(1);
});
