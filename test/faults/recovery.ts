import { setTimeout as sleep } from 'node:timers/promises';

/** Something that is true of a platform that is well: begins to look at it, and is asked until it says that it holds. */
export type Condition = () => Probe | Promise<Probe>;

/** Resolves to undefined when it holds, otherwise to what is missing. */
export type Probe = () => Promise<string | undefined>;

/** The platform is not well, and has had its time. */
export class NotRecovered extends Error {
  readonly missing: string;

  constructor(missing: string, afterMs: number) {
    super(`not after ${afterMs.toFixed(0)} ms: ${missing}`);
    this.name = 'NotRecovered';
    this.missing = missing;
  }
}

export interface Patience {
  readonly deadlineMs: number;
  /** Whether it is known by now that there is no hope. */
  readonly isHopeless?: () => boolean;
  /** Told what is missing, each time it is something else. */
  readonly onMissing?: (missing: string) => void;
}

const PROBE_EVERY_MS = 50;

/**
 * Resolves when the conditions have held, one after the other, to what was missing last; rejects with NotRecovered when
 * there was no more time.
 */
export async function untilWell(
  conditions: readonly Condition[],
  patience: Patience,
): Promise<string | undefined> {
  const { deadlineMs, isHopeless = () => false, onMissing = () => {} } = patience;
  const start = performance.now();
  let last: string | undefined;
  for (const condition of conditions) {
    const probe = await condition();
    for (let missing = await probe(); missing !== undefined; missing = await probe()) {
      const afterMs = performance.now() - start;
      if (isHopeless() || afterMs > deadlineMs) throw new NotRecovered(missing, afterMs);
      if (missing !== last) onMissing(missing);
      last = missing;
      await sleep(PROBE_EVERY_MS);
    }
  }
  return last;
}
