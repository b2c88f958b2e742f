import type { Random } from '../crash/random.ts';

/** Ends what a fault has begun. Recovery is measured from the moment at which it is called. */
export type Heal = () => Promise<void>;

/** One way to break a part of a topology. */
export interface Fault<Topology> {
  /** As `--only` takes it. */
  readonly name: string;
  /** What it does, for the list of faults. */
  readonly what: string;
  /** How long it lasts before it is healed, in ms: drawn from this range. */
  readonly holdMs: readonly [least: number, most: number];
  /** Breaks it; whatever else may be chosen is drawn. */
  readonly inject: (topology: Topology, random: Random) => Promise<Heal>;
}
