import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Something that runs until it is stopped. */
export interface Stoppable {
  stop(): Promise<void>;
}

/** What a piece of work has opened, to be closed in the reverse order when it ends. */
export class Scope {
  readonly #closers: (() => Promise<void>)[] = [];

  /** Waits for a thing to start; it is stopped when the scope closes. */
  async own<T extends Stoppable>(starting: Promise<T>): Promise<T> {
    const thing = await starting;
    this.#closers.push(() => thing.stop());
    return thing;
  }

  /** Makes a directory in the system's place for temporary files; it is removed with the scope or the process. */
  async temporaryDirectory(): Promise<string> {
    const directory = await mkdtemp(path.join(tmpdir(), 'mini-platform-bench-'));
    const remove = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    process.once('exit', remove);
    this.#closers.push(() => {
      process.off('exit', remove);
      remove();
      return Promise.resolve();
    });
    return directory;
  }

  /** Closes everything, also when something fails to close; then rejects with the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0)
      throw new AggregateError(failures, 'what the benchmark had started did not stop');
  }
}

/** Does the work and closes its scope, whether or not the work succeeds. */
export async function withScope<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = new Scope();
  try {
    return await work(scope);
  } finally {
    await scope.close();
  }
}
