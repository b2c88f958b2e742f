import { expect, test } from '@jest/globals';
import { runSuite } from '../helpers/suite-process.ts';
import type { OverloadResult } from './overload-run.ts';

const DEADLINE_MS = 5 * 60 * 1000;

// Only what was answered, never when: how fast a machine is, is not the product's doing.
test(
  'ten times more writes than the stores can take: each is accepted or refused, and then all is as before',
  async () => {
    const args = ['--json', '--seconds', '8', '--capacity', '100', '--times', '10'];
    const { code, stdout, stderr } = await runSuite('test/overload/main.ts', args, DEADLINE_MS);
    expect({ code, report: code === 0 ? '' : stderr }).toEqual({ code: 0, report: '' });
    const { phases, rss } = JSON.parse(stdout) as OverloadResult;
    const [before, overload, after] = phases.map(({ answers }) => answers);
    expect(phases.map(({ name }) => name)).toEqual(['before', 'overload', 'after']);
    expect(before?.['201']).toBeGreaterThan(0);
    expect(overload?.['201']).toBeGreaterThan(0);
    expect(overload?.['503 NOT_ATTEMPTED']).toBeGreaterThan(0);
    expect(after?.['201']).toBeGreaterThan(0);
    if (rss !== undefined) expect(rss.peak).toBeLessThan(700_000_000);
  },
  DEADLINE_MS,
);
