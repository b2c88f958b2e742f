import type { Readiness } from '../../runtime/lifecycle.ts';

/** A worker as the pool sees it. */
export interface PooledWorker {
  readonly uid: string;
  readonly joined: boolean;
  /** Resolves when it begins to join, however long that takes, or stops before; rejects when it must not run. */
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
  readonly #starts = new WeakMap<PooledWorker, Promise<void>>();
  #count = 0;
  #isStopped = false;
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
   * Starts or drains workers until there are as many as wanted. Resolves when the surplus ones have left; the new
   * ones may wait for a service as long as it is away. Calls are carried out one after the other.
   */
  scale(wanted: number): Promise<void> {
    const scaled = this.#scaling.then(() => this.#scale(this.#isStopped ? 0 : wanted));
    // The chain goes on whatever becomes of this call; its own caller sees the error.
    this.#scaling = scaled.catch(() => {});
    return scaled;
  }

  /** Drains all workers, and starts none any more. Resolves when they have left. */
  stop(): Promise<void> {
    this.#isStopped = true;
    return this.scale(0);
  }

  /** Resolves when every worker has begun to join, or has stopped; rejects when one of them must not run. */
  async started(): Promise<void> {
    await Promise.all(this.#workers.flatMap((worker) => this.#starts.get(worker) ?? []));
  }

  /** Resolves when every worker has joined, or after the time given in ms; rejects like `started`. */
  async ready(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    const ready = this.started().then(() => Promise.all(this.#workers.map((worker) => worker.ready())));
    try {
      await Promise.race([ready, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #scale(wanted: number): Promise<void> {
    const surplus = this.#workers.slice(wanted);
    const added = Array.from({ length: wanted - this.#workers.length }, () => this.#create());
    this.#workers = [...this.#workers.slice(0, wanted), ...added];
    for (const worker of added) this.#start(worker);
    await Promise.all(surplus.map((worker) => worker.stop(this.#options.drainMs)));
  }

  #start(worker: PooledWorker): void {
    const start = worker.start();
    // Who asks whether it has started is told.
    start.catch(() => {});
    this.#starts.set(worker, start);
  }

  #create(): PooledWorker {
    this.#count += 1;
    return this.#options.create(`worker-${this.#count}`);
  }
}
