import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 120_000;
const PROBE_EVERY_MS = 20;
const LOG_TAIL = 2_000;

/** What can be done to a server that runs for a test. */
export interface Server {
  /** Where its data and its logs are. */
  readonly folder: string;
  /** The roots of its process trees; none while it does not run. */
  readonly pids: readonly number[];
  /** Ends it at once, as `kill -9` does. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and with the same data; kills it before if it runs. Resolves when it serves. */
  restart(): Promise<void>;
  /** It stays, and does nothing until `resume`: SIGSTOP. */
  pause(): void;
  resume(): void;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface ServerCommand {
  /** For messages. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Gets what it writes on standard output and standard error. */
  readonly logFile: string;
  /** Whether it serves, given what it has logged since its start. */
  readonly serves: (log: string) => boolean | Promise<boolean>;
}

/** A server as a child of this process: it ends with it, even if this process is killed. */
export class ServerProcess {
  readonly #command: ServerCommand;
  #child: ChildProcess | undefined;

  private constructor(command: ServerCommand) {
    this.#command = command;
  }

  /** Resolves when it serves; rejects, and kills it, when it does not within two minutes. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const server = new ServerProcess(command);
    await server.restart();
    return server;
  }

  /** The root of its process tree; none while it does not run. */
  get pids(): readonly number[] {
    const pid = this.#child?.pid;
    return pid === undefined ? [] : [pid];
  }

  async restart(): Promise<void> {
    await this.kill();
    const { command, cwd, env, logFile } = this.#command;
    const log = openSync(logFile, 'a');
    const from = statSync(logFile).size;
    // It dies with its parent, whatever ends that; in a session of its own, Ctrl-C in the terminal is not for it.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    child.unref();
    try {
      await this.#untilItServes(child, from);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Lets it end in its own way. */
  terminate(): Promise<void> {
    return this.#end('SIGTERM');
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || hasEnded(child)) return;
    child.ref();
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async #untilItServes(child: ChildProcess, logFrom: number): Promise<void> {
    const { name, logFile, serves } = this.#command;
    const end = performance.now() + START_MS;
    for (;;) {
      const log = readFileSync(logFile).subarray(logFrom).toString();
      if (hasEnded(child)) throw new Error(`${name} ended while it started: ${log.slice(-LOG_TAIL)}`);
      if (await serves(log)) return;
      if (performance.now() > end) {
        throw new Error(`${name} does not serve after ${START_MS} ms: ${log.slice(-LOG_TAIL)}`);
      }
      await sleep(PROBE_EVERY_MS);
    }
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Whether somebody takes connections on this port of loopback. */
export function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
