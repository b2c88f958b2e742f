import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Stoppable } from './scope.ts';
import type { CpuReport, ServerReport } from './servers/report.ts';

const READY_MS = 30_000;
const STOP_MS = 15_000;

/** A server under load, in a process of its own. */
export interface ServerProcess extends Stoppable {
  readonly name: string;
  /** CPU time used so far in seconds, or undefined where it cannot be known. */
  cpuSeconds(): Promise<number | undefined>;
}

/** A server of bench/servers/. */
export interface ForkedServer extends ServerProcess {
  /** What it said when it was ready: its URL, and what else its parent needs. */
  readonly ready: string;
  /** Sends it a message, and resolves to its answer. Rejects when it ends first, or takes longer than this. */
  ask(message: object | string, timeoutMs?: number): Promise<unknown>;
}

/** Starts bench/servers/`name`.ts and waits until it is ready. */
export async function forkServer(name: string, args: readonly string[] = []): Promise<ForkedServer> {
  const script = path.join(import.meta.dirname, 'servers', `${name}.ts`);
  const child = fork(script, args, { stdio: ['ignore', 2, 2, 'ipc'], execArgv: [] });
  endWithParent(child);
  const { ready } = (await messageOf(child, name)) as ServerReport;
  const ask = (message: object | string, timeoutMs?: number): Promise<unknown> => {
    if (!child.connected) return Promise.reject(new Error(`the server ${name} is gone`));
    const answer = messageOf(child, name, timeoutMs);
    child.send(message);
    return answer;
  };
  return {
    name: name.replace(/^noop-/, ''),
    ready,
    ask,
    cpuSeconds: async () => ((await ask('cpu')) as CpuReport).cpuMicros / 1_000_000,
    stop: () => stopProcess(child, () => child.disconnect()),
  };
}

/** Asks a process to end and waits for it; kills it if it does not. Ended already is fine. */
export async function stopProcess(child: ChildProcess, ask: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  ask();
  await ended;
  clearTimeout(kill);
}

/** Kills the child when this process ends before it. */
export function endWithParent(child: ChildProcess): void {
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}

/** The next message of a child. Rejects when the child ends first, or takes too long. */
async function messageOf(child: ChildProcess, name: string, timeoutMs = READY_MS): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error(`the server ${name} ended with ${child.exitCode ?? 'a signal'}`);
  });
  const late = once(AbortSignal.timeout(timeoutMs), 'abort', { signal }).then(() => {
    child.kill('SIGKILL');
    throw new Error(`the server ${name} was silent for ${timeoutMs / 1000} s`);
  });
  const message = once(child, 'message', { signal }).then(([content]: unknown[]) => content);
  try {
    return await Promise.race([message, ended, late]);
  } finally {
    settled.abort();
  }
}
