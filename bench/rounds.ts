import { cpus } from 'node:os';
import type { LoadResult } from './load.ts';
import type { ServerProcess } from './server-process.ts';

/** One round of one contestant. */
export interface Round {
  readonly load: LoadResult;
  /** CPU time of each server by its name, in µs per request; undefined where it cannot be known. */
  readonly cpuMicros: ReadonlyMap<string, number | undefined>;
  /** Cores that neither the servers nor the generator had: other work, and the kernel's. Undefined if not known. */
  readonly otherCores: number | undefined;
}

export interface ContestantOptions {
  readonly name: string;
  /** The processes whose CPU time its requests cost. */
  readonly servers: readonly ServerProcess[];
  /** Loads them for one round. Equal rounds send the same. */
  readonly load: (round: number) => Promise<LoadResult>;
}

/** Someone who takes part in alternating rounds, and what was measured of them so far. */
export class Contestant {
  readonly name: string;
  /** The counted rounds, in order. */
  readonly measured: Round[] = [];
  /** Failures of all rounds, also of the one to warm up. */
  failures = 0;
  readonly #options: ContestantOptions;

  constructor(options: ContestantOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async run(round: number): Promise<Round> {
    const { servers, load } = this.#options;
    const before = await cpuSeconds(servers);
    const machineBefore = machineTime();
    const result = await load(round);
    const machineAfter = machineTime();
    const after = await cpuSeconds(servers);
    this.failures += result.errors + result.non2xx;
    const used = servers.map((_, index) => difference(after[index], before[index]));
    const ours = sum([...used, result.generatorCpuSeconds]);
    const busy = machineAfter.busy - machineBefore.busy;
    const wall = machineAfter.wall - machineBefore.wall;
    return {
      load: result,
      cpuMicros: new Map(servers.map(({ name }, index) => [name, perRequest(used[index], result)])),
      otherCores: ours === undefined ? undefined : Math.max(0, busy - ours) / wall,
    };
  }
}

/**
 * Lets the contestants take turns, A B A B, so that what changes on the machine meanwhile meets all of them. The
 * first round of each is to warm up and is not counted.
 */
export async function alternate(
  contestants: readonly Contestant[],
  rounds: number,
  progress: (contestant: Contestant, round: number, measured: Round) => void,
): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    for (const contestant of contestants) {
      const measured = await contestant.run(round);
      if (round > 0) contestant.measured.push(measured);
      progress(contestant, round, measured);
    }
  }
}

/** The middle value, or the mean of the two in the middle. Undefined if one is unknown or there is none. */
export function median(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (known.length < values.length) return undefined;
  const upper = known[Math.floor(known.length / 2)];
  const lower = known[Math.ceil(known.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

/** The median of the ratios of rounds that followed each other, first over second. */
export function medianRatio(
  first: readonly (number | undefined)[],
  second: readonly (number | undefined)[],
): number | undefined {
  return median(
    first.map((value, index) => {
      const other = second[index];
      return value === undefined || other === undefined || other === 0 ? undefined : value / other;
    }),
  );
}

/** CPU time of all servers together, in µs per request. */
export function totalCpuMicros({ cpuMicros }: Round): number | undefined {
  return sum([...cpuMicros.values()]);
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce(
    (total, value) => (total === undefined || value === undefined ? undefined : total + value),
    0,
  );
}

function perRequest(seconds: number | undefined, { requests }: LoadResult): number | undefined {
  return seconds === undefined || requests === 0 ? undefined : (seconds * 1_000_000) / requests;
}

function cpuSeconds(servers: readonly ServerProcess[]): Promise<(number | undefined)[]> {
  return Promise.all(servers.map((server) => server.cpuSeconds()));
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}

/** Seconds: CPU time that all cores were busy so far, and a clock. */
function machineTime(): { readonly busy: number; readonly wall: number } {
  const busyMs = cpus().reduce(
    (total, { times: { user, nice, sys, irq } }) => total + user + nice + sys + irq,
    0,
  );
  return { busy: busyMs / 1000, wall: performance.now() / 1000 };
}
