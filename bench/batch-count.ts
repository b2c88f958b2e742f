/** Batches that a worker has made, and the operations in them. */
export interface Batches {
  readonly batches: number;
  readonly operations: number;
}

const METRIC = 'mini_platform_worker_batch_size';

/** Reads from a worker's metrics how many operations of the bank went into one batch. */
export class BatchCount {
  readonly #metricsUrl: string;

  constructor(metricsUrl: string) {
    this.#metricsUrl = metricsUrl;
  }

  /** What the worker has done so far. */
  async read(): Promise<Batches> {
    const response = await fetch(this.#metricsUrl);
    if (!response.ok) throw new Error(`${this.#metricsUrl} was answered ${response.status}`);
    return parseBatches(await response.text());
  }

  /** Operations in one batch, on average; undefined when there was none. */
  static meanBetween(before: Batches, after: Batches): number | undefined {
    const batches = after.batches - before.batches;
    return batches === 0 ? undefined : (after.operations - before.operations) / batches;
  }
}

/** Takes the batches of transactions from the text of /metrics; none of them is there: none was made. */
export function parseBatches(metrics: string): Batches {
  const value = (name: string): number => {
    const line = new RegExp(`^${METRIC}_${name}\\{[^}]*operation="bank\\.transaction"[^}]*\\} (\\S+)$`, 'm');
    return Number(line.exec(metrics)?.[1] ?? 0);
  };
  return { batches: value('count'), operations: value('sum') };
}
