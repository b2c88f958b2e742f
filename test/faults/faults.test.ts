import { rm } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { runSuite } from '../helpers/suite-process.ts';
import { ownServers } from '../services/endpoints.ts';
import { FAULTS } from './faults.ts';
import { type FaultsResult, timesByFault } from './summary.ts';

const ROUNDS = 5;
const DEADLINE_MS = 20 * 60 * 1000;

const servers = [ownServers('kafka'), ownServers('mongodb'), ownServers('redis'), ownServers('s3')];
const reason = servers.flatMap((each) => (each.ok ? [] : [each.reason]))[0];

async function faults(...args: readonly string[]): Promise<{
  readonly code: number | null;
  readonly result: FaultsResult;
  readonly stderr: string;
}> {
  const { code, stdout, stderr } = await runSuite('test/faults/main.ts', ['--json', ...args], DEADLINE_MS);
  try {
    return { code, stderr, result: JSON.parse(stdout) as FaultsResult };
  } catch {
    throw new Error(`the suite ended with ${code ?? 'a signal'} and no result:\n${stdout}\n${stderr}`);
  }
}

const suite = reason === undefined ? describe : describe.skip;

suite(`faults on real services${reason === undefined ? '' : ` (${reason})`}`, () => {
  test(
    'nothing that was said is broken by any of them, and all is well again by itself',
    async () => {
      const { code, result, stderr } = await faults('--rounds', String(ROUNDS), '--seed', '1');
      // The report, with the violations and how to have them again, is what a failure shows.
      expect({ code, report: code === 0 ? '' : stderr }).toEqual({ code: 0, report: '' });
      expect(result.violations).toEqual([]);
      expect(timesByFault(result.injections).toSorted((a, b) => a.fault.localeCompare(b.fault))).toEqual(
        FAULTS.map(({ name }) => name)
          .toSorted((a, b) => a.localeCompare(b))
          .map((fault) => expect.objectContaining({ fault, times: ROUNDS, recovered: ROUNDS })),
      );
      // Nobody was started again but who was killed.
      expect(result.kills).toEqual({ dispatcher: ROUNDS, worker: ROUNDS, feeder: ROUNDS, archiver: ROUNDS });
      const { stored, parked, refused, cut } = result.answers;
      for (const count of [stored, parked, refused, cut]) expect(count).toBeGreaterThan(0);
      process.stderr.write(`${stderr.slice(stderr.indexOf('\nfault '))}\n`);
    },
    DEADLINE_MS,
  );

  test(
    'a store that loses what it has acknowledged is found out',
    async () => {
      const args = ['--rounds', '1', '--seed', '1', '--only', 'kill-feeder', '--sabotage', 'lose-event'];
      const { code, result, stderr } = await faults(...args);
      await rm(result.directory, { recursive: true, force: true });
      expect(code).toBe(1);
      expect(result.violations[0]?.kind).toBe('lost');
      expect(stderr).toContain(`Again: npm run faults -- ${args.join(' ')}`);
    },
    DEADLINE_MS,
  );
});
