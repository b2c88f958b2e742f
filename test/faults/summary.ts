import type { Violation } from '../crash/check/violation.ts';
import { violationLines } from '../crash/summary.ts';
import type { Answers } from '../crash/tally.ts';
import type { Injection } from './runner.ts';

/** What a run has come to. */
export interface FaultsResult {
  readonly seed: number;
  readonly injections: readonly Injection[];
  /** How many processes of each role were killed, and started again; nothing else was started twice by hand. */
  readonly kills: Readonly<Record<string, number>>;
  readonly answers: Answers;
  readonly events: number;
  readonly violations: readonly Violation[];
  readonly seconds: number;
  /** Where the journal and the logs are. */
  readonly directory: string;
}

/** What became of one kind of fault. */
export interface FaultTimes {
  readonly fault: string;
  readonly times: number;
  /** How many of them were recovered from. */
  readonly recovered: number;
  /** Of the times to recover, in s; undefined without any. */
  readonly median: number | undefined;
  readonly worst: number | undefined;
}

/** The times to recover, by fault, in the order in which each came first. */
export function timesByFault(injections: readonly Injection[]): readonly FaultTimes[] {
  return [...Map.groupBy(injections, ({ fault }) => fault)].map(([fault, all]) => {
    const seconds = all
      .flatMap(({ recoveryMs }) => (recoveryMs === undefined ? [] : [recoveryMs / 1_000]))
      .toSorted((a, b) => a - b);
    return {
      fault,
      times: all.length,
      recovered: seconds.length,
      median: seconds[Math.floor((seconds.length - 1) / 2)],
      worst: seconds.at(-1),
    };
  });
}

/** The tables at the end of a run, what was found, and how to have it again. */
export function summaryOf(result: FaultsResult, command: string): string {
  const { answers, events, seconds, violations, injections, directory } = result;
  const faults = timesByFault(injections).toSorted((a, b) => a.fault.localeCompare(b.fault));
  const rows = [
    ['fault', 'times', 'well again', 'median', 'worst'],
    ...faults.map(({ fault, times, recovered, median, worst }) => [
      fault,
      String(times),
      String(recovered),
      inSeconds(median),
      inSeconds(worst),
    ]),
  ];
  const counts: readonly (readonly [string, number | string])[] = [
    ['events', events],
    ['requests that write', answers.requests],
    ['  of these resends of a key', answers.resends],
    ['acknowledged (201, 200)', answers.stored],
    ['parked (202)', answers.parked],
    ['refused (422 FRAUDULENT)', answers.refused],
    ['key reused (422)', answers['key-reused']],
    ['discarded (409)', answers.discarded],
    ['not attempted (503)', answers['not-attempted']],
    ['unknown (503)', answers.unknown],
    ['without answer (cut)', answers.cut],
    ['violations', violations.length],
    ['seconds', seconds.toFixed(0)],
  ];
  const hint =
    violations.length === 0
      ? []
      : ['', `The journal and the logs are kept in ${directory}`, `Again: ${command}`];
  return [
    ...table(rows),
    '',
    ...table(counts.map(([name, value]) => [name, String(value)])),
    ...violationLines(violations),
    ...hint,
    '',
  ].join('\n');
}

function inSeconds(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(1)} s`;
}

/** The first column to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  '),
  );
}
