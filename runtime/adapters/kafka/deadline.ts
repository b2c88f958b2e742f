import { pause } from '../pause.ts';
import { closed, isRetriable, late } from './failure.ts';

/** Until when a call must have been answered, and whether anybody still waits for it. */
export class Deadline {
  readonly #at: number;
  readonly signal: AbortSignal;

  /** `ms` from now; it ends earlier when the signal aborts. */
  constructor(ms: number, signal: AbortSignal) {
    this.#at = performance.now() + ms;
    this.signal = signal;
  }

  /** Time that is left, in ms; 0 when none is. */
  get leftMs(): number {
    return this.signal.aborted ? 0 : Math.max(0, this.#at - performance.now());
  }

  /** The work's outcome; rejects when the deadline passes first. The work then goes on unobserved. */
  race<T>(work: Promise<T>, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => end(() => reject(closed()));
      const timer = setTimeout(() => end(() => reject(late(`${what}: no answer in time`))), this.leftMs);
      this.signal.addEventListener('abort', onAbort);
      if (this.signal.aborted) onAbort();
      const settle = (): void => end(() => resolve(work));
      work.then(settle, settle);
    });
  }
}

const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 400;

/**
 * Tries until it works, fails for good, `giveUp` says that trying again is of no use, or the deadline passes: then
 * it rejects with the last failure.
 */
export async function retrying<T>(
  deadline: Deadline,
  attempt: () => Promise<T>,
  giveUp: () => boolean = () => false,
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (deadline.signal.aborted) throw closed();
      if (!isRetriable(error) || deadline.leftMs <= pauseMs || giveUp()) throw error;
    }
    await pause(pauseMs, deadline.signal);
  }
}
