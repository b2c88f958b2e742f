import type { Life } from './kill-plan.ts';
import { heard, type Ledger, type Said } from './ledger.ts';
import type { Violation } from './check/violation.ts';

/** How a life can end. */
export const DEATHS = ['random', 'starting', 'stopping', 'point', 'not reached'] as const;

export type Death = (typeof DEATHS)[number];

/** What a run has come to. */
export interface RunResult {
  readonly seed: number;
  readonly kills: Readonly<Record<Death, number>>;
  /** `call, moment` of each crash point at which the process died. */
  readonly pointsHit: readonly string[];
  /** Crash points that had their turn and were never reached. */
  readonly pointsNeverReached: readonly string[];
  /** Calls that the product makes and that no crash point is for. */
  readonly callsWithoutPoint: readonly string[];
  readonly answers: Answers;
  readonly events: number;
  readonly violations: readonly Violation[];
  readonly seconds: number;
  /** Where the state and the journal are. */
  readonly directory: string;
}

/** How often clients were told what. */
export type Answers = Readonly<Record<Said['kind'] | 'requests' | 'resends', number>>;

/** Counts how the lives ended. */
export class DeathTally {
  readonly #kills: Record<Death, number> = {
    random: 0,
    starting: 0,
    stopping: 0,
    point: 0,
    'not reached': 0,
  };
  readonly #hit = new Set<string>();
  readonly #missed = new Set<string>();

  add({ kill }: Life, death: Death): void {
    this.#kills[death] += 1;
    if (kill.kind !== 'point') return;
    const name = `${kill.order.call}, ${kill.order.moment}`;
    (death === 'point' ? this.#hit : this.#missed).add(name);
  }

  get total(): number {
    return Object.values(this.#kills).reduce((sum, count) => sum + count, 0);
  }

  result(): Pick<RunResult, 'kills' | 'pointsHit' | 'pointsNeverReached'> {
    return {
      kills: { ...this.#kills },
      pointsHit: [...this.#hit].sort(),
      pointsNeverReached: [...this.#missed].filter((name) => !this.#hit.has(name)).sort(),
    };
  }
}

export function countAnswers(ledger: Ledger): Answers {
  const counts: Record<keyof Answers, number> = {
    requests: 0,
    resends: 0,
    stored: 0,
    parked: 0,
    refused: 0,
    discarded: 0,
    'key-reused': 0,
    'not-attempted': 0,
    unknown: 0,
    cut: 0,
    odd: 0,
  };
  for (const history of ledger.histories) {
    counts.requests += history.attempts.length;
    counts.resends += history.attempts.length - 1;
    for (const { said } of heard(history)) counts[said.kind] += 1;
  }
  return counts;
}
