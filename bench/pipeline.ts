import type { Batches } from './batch-count.ts';
import type { LoadResult } from './load.ts';
import type { ForkedServer } from './server-process.ts';
import type { PipelineReport, PipelineRequest } from './servers/pipeline.ts';

const GRACE_MS = 30_000;

/** The worker's way from an operation to the stores, loaded in its own process: no HTTP, no link. */
export class Pipeline {
  readonly server: ForkedServer;
  #batches: Batches = { batches: 0, operations: 0 };

  constructor(server: ForkedServer) {
    this.server = server;
  }

  /** What it has done so far. */
  get batches(): Batches {
    return this.#batches;
  }

  /** Keeps so many transactions under way for some seconds. Who makes them is the server itself. */
  async load(load: Exclude<PipelineRequest, 'cpu'>): Promise<LoadResult> {
    const report = (await this.server.ask(load, load.seconds * 1_000 + GRACE_MS)) as PipelineReport;
    const { requests, seconds, p50Ms, p99Ms, failed, batches, operations } = report;
    this.#batches = { batches, operations };
    return { requests, seconds, p50Ms, p99Ms, errors: 0, non2xx: failed, generatorCpuSeconds: 0 };
  }
}
