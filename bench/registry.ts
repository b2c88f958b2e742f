import { archive } from './archive.ts';
import { bank } from './bank.ts';
import type { Bench } from './bench.ts';
import { feeder } from './feeder.ts';
import { hop } from './hop.ts';
import { start } from './start.ts';

/** All benchmarks, in the order in which `all` runs them. */
export const BENCHES: readonly Bench[] = [hop, bank, archive, feeder, start];
