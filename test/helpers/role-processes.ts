import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { API_VERSION } from '../../schema/api-version.ts';
import { freePort } from '../services/free-port.ts';
import type { Exit } from './command.ts';
import { eventually } from './eventually.ts';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

export type RoleKind = 'dispatcher' | 'worker' | 'feeder' | 'archiver';

/** A configuration as a file has it, without apiVersion and kind. Servers whose port is not given get a free one. */
export type RoleFields = Readonly<Record<string, unknown>>;

/** What /readyz says. */
export interface ReadyBody {
  readonly ready: boolean;
  readonly roles: readonly { readonly role: string; readonly state: string; readonly reason?: string }[];
  readonly waitsFor?: readonly {
    readonly service: string;
    readonly title: string;
    readonly reason: string;
  }[];
}

const SERVERS: Readonly<Record<RoleKind, readonly string[]>> = {
  dispatcher: ['http', 'admin', 'join', 'metrics'],
  worker: ['link', 'metrics'],
  feeder: ['metrics'],
  archiver: ['metrics'],
};

/** A slow machine that starts a dozen processes at once. */
const START_MS = 30_000;
const READY_MS = 30_000;
/** Older lines are dropped. */
const LOG_CHARACTERS = 4 * 1024 * 1024;

/** One role as a process of its own, by `mini-platform run`: it keeps its ports and its file over restarts. */
export class RoleProcess {
  readonly kind: RoleKind;
  readonly #folder: string;
  readonly #ports: ReadonlyMap<string, number>;
  #child: ChildProcess | undefined;
  #exited: Promise<Exit> = Promise.resolve({ code: 0, signal: null });
  #log = '';

  private constructor(kind: RoleKind, folder: string, ports: ReadonlyMap<string, number>) {
    this.kind = kind;
    this.#folder = folder;
    this.#ports = ports;
  }

  /** Writes the file and chooses ports; nothing runs yet. */
  static async make(kind: RoleKind, fields: RoleFields): Promise<RoleProcess> {
    const folder = await mkdtemp(path.join(tmpdir(), `mini-platform-${kind}-`));
    const servers: Record<string, object> = {};
    const ports = new Map<string, number>();
    for (const name of SERVERS[kind]) {
      const given = fields[name];
      const server = { port: await freePort(), ...(typeof given === 'object' ? given : {}) };
      servers[name] = server;
      ports.set(name, server.port);
    }
    const role = new RoleProcess(kind, folder, ports);
    const kindName = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}Config`;
    // JSON is YAML.
    const file = JSON.stringify({ apiVersion: API_VERSION, kind: kindName, ...fields, ...servers }, null, 2);
    await writeFile(role.file, file);
    return role;
  }

  /** Its configuration file; what is written there holds from the next start on. */
  get file(): string {
    return path.join(this.#folder, 'config.yaml');
  }

  /** URL of a dispatcher's HTTP API. */
  get url(): string {
    return this.#url('http');
  }

  /** URL of a dispatcher's routes for administrators. */
  get adminUrl(): string {
    return this.#url('admin');
  }

  /** URL of /metrics, /healthz and /readyz. */
  get metricsUrl(): string {
    return this.#url('metrics');
  }

  /** Where a dispatcher is joined, as a worker's configuration takes it. */
  get joinAddress(): string {
    return `127.0.0.1:${this.#port('join')}`;
  }

  /** Where a worker is linked to. */
  get linkAddress(): string {
    return `127.0.0.1:${this.#port('link')}`;
  }

  /** All that it has written on standard error and standard output, over all starts; the last 4 MB of it. */
  get log(): string {
    return this.#log;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How the run that was started last ends. */
  get exited(): Promise<Exit> {
    return this.#exited;
  }

  /** Starts the process. Does not wait for anything. */
  spawn(): void {
    const command = [
      process.execPath,
      path.join(root, 'cli', 'main.mjs'),
      'run',
      this.kind,
      '--config',
      this.file,
    ];
    // It dies with its parent, whatever ends that; Ctrl-C in the terminal is not for it.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        this.#log = `${this.#log}${data.toString()}`.slice(-LOG_CHARACTERS);
      });
    }
    this.#exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        if (this.#child === child) this.#child = undefined;
        resolve({ code, signal });
      });
    });
  }

  /** Starts the process; resolves when it serves its health routes, whether or not it is ready. */
  async start(): Promise<void> {
    this.spawn();
    await eventually(
      `the ${this.kind} serves /healthz`,
      async () => {
        this.#requireRunning();
        return (await get(`${this.metricsUrl}/healthz`))?.ok === true;
      },
      START_MS,
    );
  }

  /** What /readyz says now; undefined when the process does not answer. */
  async readiness(): Promise<ReadyBody | undefined> {
    const response = await get(`${this.metricsUrl}/readyz`);
    return response === undefined ? undefined : ((await response.json()) as ReadyBody);
  }

  /** Resolves when it is ready; rejects, with why it is not, after the deadline in ms. */
  async ready(deadlineMs = READY_MS): Promise<void> {
    let last: ReadyBody | undefined;
    const probe = async (): Promise<boolean> => {
      this.#requireRunning();
      last = await this.readiness();
      return last?.ready === true;
    };
    try {
      await eventually(`the ${this.kind} is ready`, probe, deadlineMs);
    } catch (error) {
      throw new Error(`${String(error)}\n${JSON.stringify(last)}\n${this.#log.slice(-2_000)}`, {
        cause: error,
      });
    }
  }

  /** The value of a metric's first sample whose labels hold all of these texts; undefined when there is none. */
  async metric(name: string, ...labels: readonly string[]): Promise<number | undefined> {
    const text = await (await get(`${this.metricsUrl}/metrics`))?.text();
    const line = text
      ?.split('\n')
      .find(
        (sample) =>
          new RegExp(`^${name}[ {]`).test(sample) && labels.every((label) => sample.includes(label)),
      );
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
  }

  /** Ends it at once, as `kill -9` does. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** Sends SIGTERM and resolves to how it ended. */
  async stop(): Promise<Exit> {
    this.#child?.kill('SIGTERM');
    return this.#exited;
  }

  /** Kills it if it runs, and starts it again: the same file, the same ports. Resolves like `start`. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Kills it and removes its file. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #requireRunning(): void {
    if (this.#child === undefined) {
      throw new Error(`the ${this.kind} has ended:\n${this.#log.slice(-4_000)}`);
    }
  }

  #url(server: string): string {
    return `http://127.0.0.1:${this.#port(server)}`;
  }

  #port(server: string): number {
    const port = this.#ports.get(server);
    if (port === undefined) throw new Error(`a ${this.kind} has no ${server} server`);
    return port;
  }
}

/** Makes a role and starts it; resolves when it serves its health routes. */
export async function startRole(kind: RoleKind, fields: RoleFields): Promise<RoleProcess> {
  const role = await RoleProcess.make(kind, fields);
  await role.start();
  return role;
}

async function get(url: string): Promise<Response | undefined> {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(5_000) });
  } catch {
    // Nobody listens, or nobody answers: who asks tries again.
    return undefined;
  }
}
