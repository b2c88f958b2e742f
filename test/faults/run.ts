import { setTimeout as sleep } from 'node:timers/promises';
import { checkAfterKill } from '../crash/check/after-kill.ts';
import { HttpClient } from '../crash/http-client.ts';
import { Random } from '../crash/random.ts';
import { ReadFailure } from '../crash/reads.ts';
import { countAnswers } from '../crash/tally.ts';
import { FRAUDSTERS } from '../crash/writes.ts';
import {
  archiveHasCaughtUp,
  nothingIsOverdue,
  rolesAreReady,
  workersHaveJoined,
  writesAreStored,
} from './conditions.ts';
import { Evidence } from './evidence.ts';
import { FAULTS } from './faults.ts';
import type { KeptRole } from './kept-role.ts';
import { checkToTheEnd } from './last-checks.ts';
import { Load } from './load.ts';
import { NotRecovered, untilWell } from './recovery.ts';
import { type Injection, runFaults } from './runner.ts';
import { sabotage, type SabotageKind } from './sabotage.ts';
import type { FaultsResult } from './summary.ts';
import { startTopology, type Topology } from './topology.ts';

export interface RunOptions {
  readonly seed: number;
  /** How often each fault is injected. */
  readonly rounds: number;
  /** Names of the faults; all of them when absent. */
  readonly only?: readonly string[] | undefined;
  readonly sabotage?: SabotageKind | undefined;
  /** An empty folder, for what is written down. */
  readonly directory: string;
  readonly progress: (line: string) => void;
}

/** Characters of what a platform lacked that are shown. */
const SHOWN = 150;
/** Longer than anything that recovers by itself takes on a slow machine. */
const RECOVERY_MS = 60_000;

/**
 * Injects faults into a platform on real services under load, one after the other, and holds what it says and what it
 * keeps against what its clients were told, to the end or until a promise was found broken.
 */
export async function runFaultSuite(options: RunOptions): Promise<FaultsResult> {
  const { seed, directory, progress } = options;
  const startedAt = performance.now();
  const evidence = new Evidence(directory);
  progress('Starting the services and the platform ...');
  const topology = await startTopology(directory, evidence.report);
  const injections: Injection[] = [];
  try {
    await runOn(topology, evidence, { ...options, onInjection: (injection) => injections.push(injection) });
  } catch (error) {
    if (!(error instanceof ReadFailure || error instanceof NotRecovered)) throw error;
    evidence.reportFailure('the end of the run', error);
  } finally {
    await topology.stop();
    evidence.close();
  }
  return {
    seed,
    directory,
    injections,
    kills: killsOf(topology.roles),
    answers: countAnswers(evidence.ledger),
    events: evidence.ledger.histories.length,
    violations: evidence.violations.all,
    seconds: (performance.now() - startedAt) / 1_000,
  };
}

interface Run extends RunOptions {
  readonly onInjection: (injection: Injection) => void;
}

async function runOn(topology: Topology, evidence: Evidence, run: Run): Promise<void> {
  const { ledger } = evidence;
  const random = new Random(run.seed);
  const dispatchers = topology.roles.filter(({ kind }) => kind === 'dispatcher');
  const each = dispatchers.map(({ process }) => new HttpClient(process.url));
  const ports = {
    http: new HttpClient(dispatchers.map(({ process }) => process.url)),
    admin: new HttpClient(dispatchers.map(({ process }) => process.adminUrl)),
  };
  const load = new Load(evidence, ports, random.fork('load'));
  const well = [
    rolesAreReady(topology.roles),
    workersHaveJoined(topology.roles),
    writesAreStored(each, ledger),
    nothingIsOverdue(ports.admin),
    archiveHasCaughtUp(topology.stores.log),
  ];
  const isWell = (): Promise<string | undefined> =>
    untilWell(well, {
      deadlineMs: RECOVERY_MS,
      isHopeless: () => evidence.isBroken(),
      onMissing: (missing) => evidence.note({ missing }),
    });
  try {
    await isWell();
    load.resume();
    await runFaults({
      topology,
      faults: FAULTS.filter(({ name }) => run.only?.includes(name) ?? true),
      rounds: run.rounds,
      random: random.fork('faults'),
      clock: { now: () => performance.now(), sleep },
      untilWell: isWell,
      check: () => checkLast(evidence, ports.http),
      onNotRecovered: (after, failure) => {
        // With a violation there was no hope, whatever it still lacked.
        if (!evidence.isBroken()) evidence.reportFailure(after, failure);
      },
      onInjection: (injection) => {
        evidence.note({ injection });
        run.progress(lineOf(injection));
        run.onInjection(injection);
      },
    });
    await load.pause();
    if (evidence.isBroken()) return;
    if (run.sabotage !== undefined) await sabotage(run.sabotage, topology.stores, ledger);
    await checkToTheEnd({ topology, ports, evidence, progress: run.progress });
  } finally {
    await load.end();
    for (const client of [ports.http, ports.admin, ...each]) client.close();
  }
}

/** The cheap checks, with the load beside them. Resolves to whether all is as it should be. */
async function checkLast(evidence: Evidence, http: HttpClient): Promise<boolean> {
  const { ledger, recent, violations } = evidence;
  try {
    const fraudsters = new Set(FRAUDSTERS);
    violations.report(await checkAfterKill({ http, ledger, fraudsters }, recent.take()));
  } catch (error) {
    if (!(error instanceof ReadFailure)) throw error;
    evidence.reportFailure('a read', error);
  }
  return !evidence.isBroken();
}

function killsOf(roles: readonly KeptRole[]): Readonly<Record<string, number>> {
  const kinds = Map.groupBy(roles, ({ kind }) => kind);
  return Object.fromEntries(
    [...kinds].map(([kind, all]) => [kind, all.reduce((sum, { kills }) => sum + kills, 0)]),
  );
}

function lineOf({ fault, heldMs, recoveryMs, lacked }: Injection): string {
  const recovered = recoveryMs === undefined ? 'never' : `${(recoveryMs / 1_000).toFixed(1)} s`;
  const last = lacked === undefined ? '' : `; until last it lacked that ${lacked.slice(0, SHOWN)}`;
  return `${fault}: held ${(heldMs / 1_000).toFixed(1)} s, well again after ${recovered}${last}`;
}
