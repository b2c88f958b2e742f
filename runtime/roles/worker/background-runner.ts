import { type Clock, pause } from '../../clock.ts';
import type { BackgroundTask } from '../../domain-kit/domain.ts';
import type { Logger } from '../../logging.ts';
import type { Cache, Lease } from '../../ports/cache.ts';

export interface BackgroundOptions {
  readonly task: BackgroundTask;
  /** Names this worker as the holder of the lease. */
  readonly owner: string;
  readonly cache: Cache;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A worker that dies holds its lease up to this long, in ms. */
const LEASE_MS = 15_000;
const RENEW_MS = 5_000;

/**
 * Runs a task on its schedule, in one worker at a time. A lease may be lost while the task runs (it is told by
 * its signal), so a task has to be harmless when two workers do it. Returns how to stop, which waits for a run.
 */
export function startBackground(options: BackgroundOptions): () => Promise<void> {
  const stop = new AbortController();
  const done = loop(options, stop.signal);
  return async () => {
    stop.abort();
    await done;
  };
}

async function loop(options: BackgroundOptions, signal: AbortSignal): Promise<void> {
  const { task, clock, logger } = options;
  const isStopped = (): boolean => signal.aborted;
  while (!isStopped()) {
    await pause(clock, task.everyMs, signal);
    if (isStopped()) return;
    try {
      await runOnce(options, signal);
    } catch (error) {
      logger.error({ err: error, task: task.name }, 'a background task failed; it runs again on schedule');
    }
  }
}

async function runOnce(
  { task, owner, cache, clock }: BackgroundOptions,
  stopped: AbortSignal,
): Promise<void> {
  const lease = await cache.acquireLease(`background:${task.name}`, owner, LEASE_MS);
  if (lease === undefined) return;
  const lost = new AbortController();
  const cancelRenewal = clock.every(RENEW_MS, () => void renew(lease, lost));
  try {
    await task.run(AbortSignal.any([stopped, lost.signal]));
  } finally {
    cancelRenewal();
    await lease.release();
  }
}

async function renew(lease: Lease, lost: AbortController): Promise<void> {
  try {
    if (!(await lease.renew())) lost.abort();
  } catch {
    // Whether it still holds is unknown; the next renewal tells, and until the lease runs out nobody else has it.
  }
}
