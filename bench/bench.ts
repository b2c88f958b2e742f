import type { Figure } from './figures.ts';
import type { LoadGenerator } from './load.ts';

/** What the command line asked for; undefined leaves it to the benchmark. */
export interface BenchOptions {
  /** Length of one round of load. */
  readonly seconds: number;
  /** Counted rounds of each contestant. */
  readonly rounds: number | undefined;
  /** Connections of the load. */
  readonly connections: number | undefined;
  /** Whether to run on real services in place of embedded stores. */
  readonly services: boolean;
}

/** What a benchmark may use. */
export interface BenchContext {
  readonly options: BenchOptions;
  readonly generator: LoadGenerator;
  /** Tells the user what happens. */
  readonly progress: (line: string) => void;
}

/** What came out. */
export interface BenchResult {
  readonly figures: readonly Figure[];
  /** Sentences that help to read the figures. */
  readonly notes: readonly string[];
  /** What makes the figures worthless: errors, refused requests, lost writes. The command then exits with 1. */
  readonly failures: readonly string[];
}

/** A benchmark, as bench/registry.ts lists it. */
export interface Bench {
  readonly name: string;
  /** One line for the usage. */
  readonly description: string;
  /** Whether it runs on real services: never when absent, where `--services` asks for it, or only there. */
  readonly services?: 'optional' | 'only';
  readonly run: (context: BenchContext) => Promise<BenchResult>;
}
