import type { Random } from '../crash/random.ts';
import type { Fault } from './fault.ts';
import { NotRecovered } from './recovery.ts';

/** One fault that was injected, and healed. */
export interface Injection {
  readonly fault: string;
  /** How long it lasted, in ms. */
  readonly heldMs: number;
  /** From its healing until the platform was well, in ms; undefined when it was not in time. */
  readonly recoveryMs: number | undefined;
  /** What was the last thing that the platform lacked; undefined when it lacked nothing. */
  readonly lacked: string | undefined;
}

export interface RunnerParts<Topology> {
  readonly topology: Topology;
  readonly faults: readonly Fault<Topology>[];
  /** How often each fault is injected. */
  readonly rounds: number;
  readonly random: Random;
  readonly clock: RunnerClock;
  /** Resolves when the platform is well, to what it lacked last; rejects with NotRecovered when it is not in time. */
  readonly untilWell: () => Promise<string | undefined>;
  /** Looks at what a fault has left. Resolves to whether the run goes on. */
  readonly check: () => Promise<boolean>;
  /** Told of a platform that was not well again in time; the run ends then. */
  readonly onNotRecovered: (fault: string, failure: NotRecovered) => void;
  /** Told of each injection. */
  readonly onInjection: (injection: Injection) => void;
}

export interface RunnerClock {
  /** In ms, monotonic. */
  now(): number;
  sleep(ms: number): Promise<unknown>;
}

/**
 * Injects every fault once in each round, in another order each time, one after the other, beginning with a platform
 * that is well. Ends early when one of them is not recovered from, or when a check says so.
 */
export async function runFaults<Topology>(parts: RunnerParts<Topology>): Promise<readonly Injection[]> {
  const { faults, rounds, random, clock, onInjection, check } = parts;
  if (!(await recover(parts, 'the start')).isWell) return [];
  const injections: Injection[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const own = random.fork(`round ${round}`);
    for (const fault of own.shuffled(faults)) {
      const heldMs = own.integer(...fault.holdMs);
      const heal = await fault.inject(parts.topology, own);
      await clock.sleep(heldMs);
      const healedAt = clock.now();
      await heal();
      const { isWell, lacked } = await recover(parts, fault.name);
      const recoveryMs = isWell ? clock.now() - healedAt : undefined;
      const injection = { fault: fault.name, heldMs, recoveryMs, lacked };
      injections.push(injection);
      onInjection(injection);
      if (!isWell || !(await check())) return injections;
    }
  }
  return injections;
}

async function recover<T>(
  { untilWell, onNotRecovered }: RunnerParts<T>,
  after: string,
): Promise<{ readonly isWell: boolean; readonly lacked: string | undefined }> {
  try {
    return { isWell: true, lacked: await untilWell() };
  } catch (error) {
    if (!(error instanceof NotRecovered)) throw error;
    onNotRecovered(after, error);
    return { isWell: false, lacked: error.missing };
  }
}
