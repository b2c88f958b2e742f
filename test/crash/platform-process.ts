import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ChildOrders, CrashOrder, FromChild, ToChild } from './child/orders.ts';

const ENTRY = path.join(import.meta.dirname, 'child', 'entry.mjs');
const START_MS = 60_000;
const STOP_MS = 60_000;
const TELL_MS = 10_000;
const STDERR_TAIL = 4_000;

/** How a platform process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Where a platform serves. */
export interface Addresses {
  readonly http: string;
  /** The administrator's port. */
  readonly admin: string;
}

/** One run of the platform, from its start to its death. */
export class PlatformProcess {
  readonly exited: Promise<Exit>;
  /** Resolves to where it serves when it is ready; to how it ended, if it does so before. */
  readonly ready: Promise<Addresses | Exit>;
  readonly #child: ChildProcess;
  readonly #stderrFile: string;
  #killedFor: string | undefined;

  /** Starts it; what it writes on standard error is added to the file. */
  constructor(orders: ChildOrders, stderrFile: string) {
    this.#stderrFile = stderrFile;
    const stderr = openSync(stderrFile, 'a');
    this.#child = spawn(process.execPath, [ENTRY, JSON.stringify(orders)], {
      stdio: ['ignore', 'pipe', stderr, 'ipc'],
    });
    closeSync(stderr);
    endWithParent(this.#child);
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.ready = Promise.race([this.#addresses(), this.exited]);
  }

  /** From now on it dies by itself when the call is made. */
  crashAt(order: CrashOrder): void {
    this.#tell({ say: 'crash', order });
  }

  /** Kills it; the first reason is remembered. */
  kill(reason: string): void {
    this.#killedFor ??= reason;
    this.#child.kill('SIGKILL');
  }

  /** Tells it to drain, and kills it so many ms later if it is still there. */
  killWhileDraining(afterMs: number): void {
    this.#child.kill('SIGTERM');
    setTimeout(() => this.kill('stopping'), afterMs);
  }

  /** Why it was killed from outside; undefined when it was not. */
  get killedFor(): string | undefined {
    return this.#killedFor;
  }

  /** Drains it; resolves to how it ended. Kills it when it takes too long. */
  async stop(): Promise<Exit> {
    const late = setTimeout(() => this.kill(`it did not drain within ${STOP_MS} ms`), STOP_MS);
    this.#child.kill('SIGTERM');
    const exit = await this.exited;
    clearTimeout(late);
    return exit;
  }

  /** How often each call of a port was made; undefined when the process ends before it says so. */
  async calls(): Promise<Readonly<Record<string, number>> | undefined> {
    const told = new Promise<FromChild>((resolve) =>
      this.#child.once('message', (message) => resolve(message as FromChild)),
    );
    this.#tell({ say: 'tell-calls' });
    let late: NodeJS.Timeout | undefined;
    const silent = new Promise<undefined>((resolve) => {
      late = setTimeout(() => resolve(undefined), TELL_MS);
    });
    const answer = await Promise.race([told, silent, this.exited.then(() => undefined)]);
    clearTimeout(late);
    return answer?.calls;
  }

  /** The end of what it, and those before it, wrote on standard error. */
  stderrTail(): string {
    return readFileSync(this.#stderrFile, 'utf8').slice(-STDERR_TAIL);
  }

  #tell(message: ToChild): void {
    // It may be dead by now, which its exit tells.
    this.#child.send(message, () => {});
  }

  #addresses(): Promise<Addresses> {
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the platform has no output to read');
    return new Promise((resolve) => {
      const late = setTimeout(() => this.kill(`it was not ready within ${START_MS} ms`), START_MS);
      this.#child.once('exit', () => clearTimeout(late));
      let admin: string | undefined;
      // Read on after the ready line, or the pipe fills up.
      createInterface(stdout).on('line', (line) => {
        admin ??= /\badmin\b.*?(http:\/\/[\d.]+:\d+)/.exec(line)?.[1];
        const http = /^Ready in .*?(http:\/\/[\d.]+:\d+)/.exec(line)?.[1];
        if (http === undefined) return;
        clearTimeout(late);
        if (admin === undefined) this.kill('it did not say where its admin port is');
        else resolve({ http, admin });
      });
    });
  }
}

/** Kills the child when this process ends before it. */
function endWithParent(child: ChildProcess): void {
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}
