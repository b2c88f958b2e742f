import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const START_MS = 20_000;

/** How a process of the command ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A folder for one test, with a resource file in it. */
export interface Workspace {
  readonly folder: string;
  readonly file: string;
  /** Writes the resource, as an editor would. */
  write(replicas: number | string, more?: string): Promise<void>;
  remove(): Promise<void>;
}

/** Makes a folder with a bank of so many workers. */
export async function createWorkspace(replicas = 2): Promise<Workspace> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-up-'));
  const file = path.join(folder, 'bank.yaml');
  const seed = path.join(root, 'examples', 'seed');
  const workspace: Workspace = {
    folder,
    file,
    write: (count, more = '') =>
      writeFile(
        file,
        `apiVersion: mini-platform.io/v1alpha1
kind: MiniPlatform
metadata:
  name: bank
  annotations:
    mini-platform.io/seed: ${seed}
spec:
  worker:
    replicas: ${count}
  feeder:
    source:
      bucket: fraud
      key: fraud-list.txt
${more}`,
      ),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
  await workspace.write(replicas);
  return workspace;
}

/** One run of the command. */
export class CommandRun {
  readonly process: ChildProcess;
  readonly exited: Promise<Exit>;
  #stdout = '';
  #stderr = '';
  readonly #watchers = new Set<() => void>();

  constructor(args: readonly string[]) {
    this.process = spawn(process.execPath, [path.join(root, 'cli', 'main.mjs'), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = new Promise((resolve) => {
      this.process.once('close', (code, signal) => {
        resolve({ code, signal });
        this.#changed();
      });
    });
    this.process.stdout?.on('data', (data: Buffer) => {
      this.#stdout += data.toString();
      this.#changed();
    });
    this.process.stderr?.on('data', (data: Buffer) => {
      this.#stderr += data.toString();
      this.#changed();
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves to the match when standard output matches; rejects after the deadline or when the command ends. */
  async printed(pattern: RegExp, deadlineMs = START_MS): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        stop();
        reject(
          new Error(
            `${why} without printing ${String(pattern)}:\n${this.#stdout}\n${this.#stderr.slice(-2_000)}`,
          ),
        );
      };
      const timer = setTimeout(() => fail(`${deadlineMs} ms went by`), deadlineMs);
      const check = (): void => {
        const match = pattern.exec(this.#stdout);
        if (match !== null) {
          stop();
          resolve(match);
        } else if (this.process.exitCode !== null || this.process.signalCode !== null) {
          fail('the command ended');
        }
      };
      const stop = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
      };
      this.#watchers.add(check);
      check();
    });
  }

  /** Sends a signal and resolves to how the command ended. */
  async stop(signal: NodeJS.Signals): Promise<Exit> {
    this.process.kill(signal);
    return this.exited;
  }

  #changed(): void {
    for (const check of [...this.#watchers]) check();
  }
}

/** A running platform. */
export interface RunningPlatform {
  readonly run: CommandRun;
  /** URL of the HTTP API. */
  readonly url: string;
  /** URL of the metrics server. */
  readonly metricsUrl: string;
  /** URL of the administrator's server. */
  readonly adminUrl: string;
}

/** Runs `up` on a workspace, on ports of the system's choice, until it is ready. */
export async function startPlatform(workspace: Workspace): Promise<RunningPlatform> {
  const run = new CommandRun([
    'up',
    workspace.file,
    ...['--port', '0', '--metrics-port', '0', '--admin-port', '0'],
    ...['--log-format', 'json', '--log-level', 'warn'],
    ...['--state-dir', path.join(workspace.folder, 'state')],
  ]);
  const [, url = ''] = await run.printed(/^Ready in .*: (http:\S+)$/m);
  const [, metricsUrl = ''] = await run.printed(/metrics\s+(http:\S+)\/metrics/);
  const [, adminUrl = ''] = await run.printed(/admin\s+(http:\S+)\/parked/);
  return { run, url, metricsUrl, adminUrl };
}
