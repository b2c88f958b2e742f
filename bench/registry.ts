import { archive } from './archive.ts';
import { bank } from './bank.ts';
import type { Bench } from './bench.ts';
import { fetchNewest } from './fetch.ts';
import { feeder } from './feeder.ts';
import { hop } from './hop.ts';
import { recover } from './recover.ts';
import { resend } from './resend.ts';
import { start } from './start.ts';

/** All benchmarks, in the order in which `all` runs them. */
export const BENCHES: readonly Bench[] = [hop, bank, archive, feeder, start, fetchNewest, recover, resend];
