import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { processCpuSeconds, processRssBytes } from './proc.ts';
import { endWithParent, type ServerProcess, stopProcess } from './server-process.ts';

const READY_MS = 30_000;
const STDERR_TAIL = 4_000;
const ROOT = path.dirname(import.meta.dirname);

/** A platform as its users start it. */
export interface PlatformProcess extends ServerProcess {
  readonly url: string;
  /** From the start of the process to its ready line. */
  readonly readyMs: number;
  /** Of /metrics. */
  readonly metricsUrl: string;
  /** Kills it at once, as `kill -9` does; resolves when it is gone. */
  kill(): Promise<void>;
  /** Memory in RAM in bytes, or undefined where it cannot be known. */
  rssBytes(): Promise<number | undefined>;
}

export interface PlatformOptions {
  readonly stateDir: string;
  /** Beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `mini-platform up examples/bank.yaml` on free ports and waits for its ready line. */
export async function startPlatform({ stateDir, env = {} }: PlatformOptions): Promise<PlatformProcess> {
  const ports = ['--port', '0', '--metrics-port', '0', '--admin-port', '0'];
  const command = ['cli/main.mjs', 'up', 'examples/bank.yaml', ...ports, '--state-dir', stateDir];
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...command, '--log-format', 'json'], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithParent(child);
  const { url, metricsUrl } = await readyUrls(child);
  const readyMs = performance.now() - startedAt;
  const pid = child.pid ?? 0;
  return {
    name: 'platform',
    url,
    metricsUrl,
    readyMs,
    kill: () => stopProcess(child, () => child.kill('SIGKILL')),
    cpuSeconds: () => processCpuSeconds(pid),
    rssBytes: () => processRssBytes(pid),
    stop: () => stopProcess(child, () => child.kill('SIGTERM')),
  };
}

/** Finds the URL in the first line that begins with "Ready". */
export function urlInReadyLine(line: string): string | undefined {
  return line.startsWith('Ready') ? /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] : undefined;
}

function readyUrls(child: ChildProcess): Promise<Pick<PlatformProcess, 'url' | 'metricsUrl'>> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the platform has no output to read');
  let tail = '';
  stderr.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-STDERR_TAIL);
  });
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new Error(`the platform ${reason}: ${tail.trim()}`));
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready after ${READY_MS / 1000} s`);
    }, READY_MS);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(late);
      fail(`ended with ${code ?? 'a signal'}`);
    });
    let metricsUrl = '';
    // Read on after the ready line, or the pipe fills up.
    createInterface(stdout).on('line', (line) => {
      metricsUrl = /http:\S+\/metrics$/.exec(line)?.[0] ?? metricsUrl;
      const url = urlInReadyLine(line);
      if (url === undefined) return;
      clearTimeout(late);
      resolve({ url, metricsUrl });
    });
  });
}
