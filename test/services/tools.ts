import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

const OUTPUT_TAIL = 2_000;
/** Building everything from nothing takes minutes; this is the end of patience for one command. */
const COMMAND_MS = 30 * 60_000;

/** A service that cannot be had on this machine; its message is the reason, with what to do. */
export class ServiceUnavailable extends Error {
  override readonly name = 'ServiceUnavailable';
}

/** Where a program lies on the PATH; undefined where it is absent. */
export function findTool(tool: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, tool))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Throws ServiceUnavailable when one of the programs is absent. */
export function requireTools(tools: readonly string[], remedy: string): void {
  if (process.platform !== 'linux') throw new ServiceUnavailable('the test services run on Linux only');
  const missing = tools.filter((tool) => findTool(tool) === undefined);
  if (missing.length > 0)
    throw new ServiceUnavailable(`${missing.join(', ')} not found on the PATH: ${remedy}`);
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly deadlineMs?: number;
}

/** Runs a program to its end; resolves to its standard output, rejects with the end of its output if it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  // It dies with this process, whatever ends that.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.deadlineMs ?? COMMAND_MS,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    all = (all + text).slice(-OUTPUT_TAIL);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all = (all + text).slice(-OUTPUT_TAIL);
  });
  // A program that ends without reading its input is judged by how it ended.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code !== 0) {
    const how = signal ?? `exit code ${code ?? '?'}`;
    throw new Error(`${path.basename(command)} ${args[0] ?? ''} failed (${how}): ${all.trim()}`);
  }
  return stdout;
}
