import { rm } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { runSuite } from '../helpers/suite-process.ts';
import type { RunResult } from './tally.ts';

const KILLS = 44;
const DEADLINE_MS = 15 * 60 * 1000;

async function crash(...args: readonly string[]): Promise<{
  readonly code: number | null;
  readonly result: RunResult;
  readonly stderr: string;
}> {
  const { code, stdout, stderr } = await runSuite('test/crash/main.ts', ['--json', ...args], DEADLINE_MS);
  try {
    return { code, stderr, result: JSON.parse(stdout) as RunResult };
  } catch {
    throw new Error(`the suite ended with ${code ?? 'a signal'} and no result:\n${stdout}\n${stderr}`);
  }
}

test(
  'nothing that was said is broken by kills at random moments and at crash points',
  async () => {
    const { code, result, stderr } = await crash('--kills', String(KILLS), '--seed', '1');
    // The report, with the violations and how to have them again, is what a failure shows.
    expect({ code, report: code === 0 ? '' : stderr }).toEqual({ code: 0, report: '' });
    expect(result.violations).toEqual([]);
    expect(result.callsWithoutPoint).toEqual([]);
    expect(Object.values(result.kills).reduce((sum, count) => sum + count, 0)).toBe(KILLS);
    const { stored, parked, refused, cut } = result.answers;
    for (const count of [stored, parked, refused, cut]) expect(count).toBeGreaterThan(0);
  },
  DEADLINE_MS,
);

test(
  'a store that says it has stored what it threw away, once in 50 times, is found out',
  async () => {
    const { code, result, stderr } = await crash(
      '--kills',
      '3',
      '--seed',
      '1',
      '--sabotage',
      'forget-events',
    );
    await rm(result.directory, { recursive: true, force: true });
    expect(code).toBe(1);
    // Which it is depends on who finds it first: a fetch, a resend that is stored anew, or the check at the end.
    expect(['lost', 'double', 'different']).toContain(result.violations[0]?.kind);
    expect(stderr).toContain('VIOLATION ');
    expect(stderr).toContain(`kept in ${result.directory}`);
    expect(stderr).toContain('Again: npm run crash -- --kills 3 --seed 1 --sabotage forget-events');
  },
  DEADLINE_MS,
);
