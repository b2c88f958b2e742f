import type { BenchContext, BenchResult } from './bench.ts';
import { type Figure, figure } from './figures.ts';
import { generatorShare, type LoadGenerator, successRate } from './load.ts';
import { alternate, type Contestant, median, medianRatio, type Round, totalCpuMicros } from './rounds.ts';

export const DEFAULT_ROUNDS = 3;
/** A generator that uses more of its core than this may be what limits the rate. */
const SATURATED = 0.9;
/** Cores taken by other work above which the figures are doubtful. */
const DISTURBED = 0.3;

export interface Comparison {
  readonly bench: string;
  readonly connections: number;
  readonly generator: LoadGenerator;
  readonly subject: Contestant;
  readonly baseline: Contestant;
}

/** Runs the rounds of all contestants and tells how each went. */
export async function runRounds(
  { options, progress }: BenchContext,
  title: string,
  contestants: readonly Contestant[],
): Promise<void> {
  const rounds = options.rounds ?? DEFAULT_ROUNDS;
  await alternate(contestants, rounds, ({ name }, round, { load }) => {
    const which = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`;
    const bad = load.errors + load.non2xx;
    const failed = bad > 0 ? `, ${bad} FAILED` : '';
    progress(`${title}, ${which}: ${name} ${successRate(load).toFixed(0)} requests/s${failed}`);
  });
}

/** The figures of a subject beside its baseline: rates, latencies, CPU of the servers and of the generator. */
export function compare(comparison: Comparison): BenchResult {
  const { bench, connections, generator, subject, baseline } = comparison;
  const pair = (name: string, unit: string, pick: (round: Round) => number | undefined): Figure =>
    pairFigure(comparison, { name, unit, pick });
  const figures = [
    pair('rps', 'requests/s', ({ load }) => successRate(load)),
    pair('p50', 'ms', ({ load }) => load.p50Ms),
    pair('p99', 'ms', ({ load }) => load.p99Ms),
    pair('cpu', 'µs/request', totalCpuMicros),
    ...serverFigures(comparison),
    pair(`generator.${generator.name}`, 'cores', ({ load }) => generatorShare(load)),
    pair('others', 'cores', ({ otherCores }) => otherCores),
    figure(bench, `failed@${connections}`, 'requests', {
      value: subject.failures,
      baseline: baseline.failures,
    }),
  ];
  return { figures, notes: notesOf(comparison), failures: failuresOf(comparison) };
}

/** Sets one figure of the subject beside that of the baseline, round by round. */
export function pairFigure(
  { bench, connections, subject, baseline }: Comparison,
  what: { name: string; unit: string; pick: (round: Round) => number | undefined },
): Figure {
  const [values, others] = [subject.measured.map(what.pick), baseline.measured.map(what.pick)];
  return figure(bench, `${what.name}@${connections}`, what.unit, {
    value: median(values),
    baseline: median(others),
    ratio: medianRatio(values, others),
  });
}

/** CPU time of each server, where the subject has more than one. */
function serverFigures({ bench, connections, subject }: Comparison): readonly Figure[] {
  const names = [...(subject.measured[0]?.cpuMicros.keys() ?? [])];
  if (names.length < 2) return [];
  return names.map((name) => {
    const value = median(subject.measured.map(({ cpuMicros }) => cpuMicros.get(name)));
    return figure(bench, `cpu.${name}@${connections}`, 'µs/request', { value });
  });
}

function notesOf({ bench, connections, generator, subject, baseline }: Comparison): readonly string[] {
  const told = [subject, baseline].map(({ name, measured }) => {
    const share = median(measured.map(({ load }) => generatorShare(load))) ?? 0;
    const others = median(measured.map(({ otherCores }) => otherCores)) ?? 0;
    const cpu = median(measured.map(totalCpuMicros))?.toFixed(0) ?? 'unknown';
    return {
      share,
      others,
      text: `${name}: generator ${share.toFixed(2)} of a core, server ${cpu} µs/request`,
    };
  });
  const notes = [
    `${bench}, ${connections} connections, load by ${generator.name}. ${told.map(({ text }) => text).join('; ')}.`,
  ];
  if (told.some(({ share }) => share > SATURATED)) {
    notes.push('  The generator was saturated: a faster server would not have shown, so the ratio flatters.');
  }
  const others = Math.max(...told.map((one) => one.others));
  if (others > DISTURBED) {
    notes.push(
      `  Other work took ${others.toFixed(2)} cores meanwhile: measure again when the machine is quiet.`,
    );
  }
  return notes;
}

function failuresOf({ bench, connections, subject, baseline }: Comparison): readonly string[] {
  return [subject, baseline]
    .filter(({ failures }) => failures > 0)
    .map(({ name, failures }) => `${bench}@${connections}: ${failures} requests to ${name} failed`);
}
