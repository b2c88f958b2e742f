import type { Violation } from './check/violation.ts';
import { KILLS_FOR_ALL_POINTS } from './kill-plan.ts';
import type { RunResult } from './tally.ts';

/** What makes a run fail beside violations: parts of it were not there. */
export function faultsOfRun(result: RunResult): readonly string[] {
  const kills = Object.values(result.kills).reduce((sum, count) => sum + count, 0);
  return [
    ...result.callsWithoutPoint.map(
      (call) => `no crash point is for the call ${call}: add it to crash-points.ts`,
    ),
    ...(kills < KILLS_FOR_ALL_POINTS
      ? []
      : result.pointsNeverReached.map((point) => `the crash point ${point} was never reached`)),
  ];
}

/** Violations of one kind that are shown in full. */
const SHOWN = 5;

/** The table at the end of a run, what was found, and how to have it again. */
export function summaryOf(result: RunResult, command: string): string {
  const { kills, answers, violations, pointsHit, events, seconds, directory } = result;
  const rows: readonly (readonly [string, number | string])[] = [
    ['kills at random moments', kills.random],
    ['kills while starting', kills.starting],
    ['kills while draining', kills.stopping],
    [`kills at crash points (${pointsHit.length} different)`, kills.point],
    ['kills after a point was not reached', kills['not reached']],
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
    ['without answer (killed)', answers.cut],
    ['violations', violations.length],
    ['seconds', seconds.toFixed(0)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `${name.padEnd(width)}  ${String(value).padStart(8)}`);
  const faults = faultsOfRun(result);
  const shown = violationLines(violations);
  const isGood = violations.length === 0 && faults.length === 0;
  const hint = isGood ? [] : ['', `State, journal and logs are kept in ${directory}`, `Again: ${command}`];
  return [...table, ...shown, ...faults.map((fault) => `FAULT ${fault}`), ...hint, ''].join('\n');
}

/** What was found, some of each kind in full. */
export function violationLines(violations: readonly Violation[]): readonly string[] {
  return [...Map.groupBy(violations, ({ kind }) => kind)].flatMap(([kind, all]) => [
    ...all.slice(0, SHOWN).flatMap(linesOf),
    ...(all.length > SHOWN ? ['', `... and ${all.length - SHOWN} more of the kind ${kind}`] : []),
  ]);
}

function linesOf({ kind, subject, said, found }: Violation): readonly string[] {
  return ['', `VIOLATION ${kind}: ${subject}`, `  said:  ${said}`, `  found: ${found}`];
}
