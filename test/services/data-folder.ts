import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Writable } from 'node:stream';

/** Waits for the end of its input, then removes the folder; servers that are still dying may write into it. */
const REMOVE = `cat >/dev/null; for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$1" && exit; sleep 0.3; done; exit 1`;

/**
 * A folder in the system's folder for temporary files that goes with this process, even if this process is killed:
 * a small process of its own removes it as soon as this one is gone.
 */
export class DataFolder {
  readonly path: string;
  readonly #remover: ChildProcessByStdio<Writable, null, null>;

  private constructor(folder: string) {
    this.path = folder;
    // A session of its own: Ctrl-C in the terminal is not for it.
    this.#remover = spawn('sh', ['-c', REMOVE, 'remove', folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    this.#remover.unref();
  }

  static async create(name: string): Promise<DataFolder> {
    return new DataFolder(await mkdtemp(path.join(tmpdir(), `mini-platform-${name}-`)));
  }

  /** Resolves when it is gone. */
  async remove(): Promise<void> {
    if (this.#remover.exitCode !== null) return;
    this.#remover.ref();
    const exited = once(this.#remover, 'exit');
    this.#remover.stdin.end();
    await exited;
  }
}
