import type { Readiness } from '../../runtime/lifecycle.ts';

/** A worker as the pool sees it. */
export interface PooledWorker {
  readonly uid: string;
  readonly joined: boolean;
  start(): Promise<void>;
  /** Resolves when it has joined a dispatcher, or stops. */
  ready(): Promise<void>;
  readiness(): Readiness;
  stop(deadlineMs: number): Promise<void>;
}

export interface WorkerPoolOptions {
  readonly create: (uid: string) => PooledWorker;
  readonly drainMs: number;
}

/** The workers of a process: as many as were last asked for. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  #workers: PooledWorker[] = [];
  #count = 0;
  #scaling: Promise<void> = Promise.resolve();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#workers.length;
  }

  get joined(): number {
    return this.#workers.filter((worker) => worker.joined).length;
  }

  readiness(): readonly Readiness[] {
    return this.#workers.map((worker) => worker.readiness());
  }

  /**
   * Starts or drains workers until there are as many as wanted. Resolves when the new ones have been started
   * and the surplus ones have left. Calls are carried out one after the other.
   */
  scale(wanted: number): Promise<void> {
    const scaled = this.#scaling.then(() => this.#scale(wanted));
    // The chain goes on whatever becomes of this call; its own caller sees the error.
    this.#scaling = scaled.catch(() => {});
    return scaled;
  }

  /** Resolves when every worker has joined, or after the time given in ms. */
  async ready(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([Promise.all(this.#workers.map((worker) => worker.ready())), timeout]);
    clearTimeout(timer);
  }

  async #scale(wanted: number): Promise<void> {
    const surplus = this.#workers.slice(wanted);
    const added = Array.from({ length: wanted - this.#workers.length }, () => this.#create());
    this.#workers = [...this.#workers.slice(0, wanted), ...added];
    await Promise.all([
      ...added.map((worker) => worker.start()),
      ...surplus.map((worker) => worker.stop(this.#options.drainMs)),
    ]);
  }

  #create(): PooledWorker {
    this.#count += 1;
    return this.#options.create(`worker-${this.#count}`);
  }
}
