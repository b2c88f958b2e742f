import { setTimeout as sleep } from 'node:timers/promises';
import { startRole } from '../test/helpers/role-processes.ts';
import { storesOf } from '../test/helpers/service-stores.ts';
import { type RoleServer, startFraudFeeder, startIn } from './bank-roles.ts';
import type { Bench, BenchContext, BenchResult } from './bench.ts';
import { figure } from './figures.ts';
import { withScope } from './scope.ts';
import { startServices } from './services.ts';

const WRITES = 10_000;
const LANES = 64;
const POLL_MS = 20;
/** So long all of them may take. */
const DEADLINE_MS = 300_000;

/** Brings parked writes to the stores once a worker is there. */
export const resend: Bench = {
  name: 'resend',
  description: `resending ${WRITES.toLocaleString('en-US')} parked writes when a worker is back, on real services`,
  services: 'only',
  run,
};

function run({ progress }: BenchContext): Promise<BenchResult> {
  return withScope(async (scope) => {
    progress('resend: starting Kafka, MongoDB, Redis and S3');
    const services = await startServices(scope);
    const log = { level: 'warn' };
    await startFraudFeeder(scope, services);
    const dispatcher = await startIn(scope, 'dispatcher', {
      log,
      stores: storesOf('dispatcher', services.stores),
    });
    await serving(dispatcher);
    progress(`resend: parking ${WRITES} writes while no worker is there`);
    const parking = await parkAll(dispatcher);
    await scheduled(dispatcher);
    progress(`resend: ${parking.perSecond.toFixed(0)} writes/s parked; starting a worker`);
    const worker = await startRole('worker', {
      log,
      dispatchers: [dispatcher.role.joinAddress],
      stores: storesOf('worker', services.stores),
    });
    await scope.own(Promise.resolve({ stop: () => worker.remove() }));
    await worker.ready();
    const startedAt = performance.now();
    const dead = await drained(dispatcher);
    const perSecond = WRITES / ((performance.now() - startedAt) / 1_000);
    return {
      figures: [
        figure('resend', 'parked', 'writes/s', { value: parking.perSecond }),
        figure('resend', 'resent', 'writes/s', { value: perSecond }),
      ],
      notes: [],
      failures: [
        ...(parking.refused > 0 ? [`resend: ${parking.refused} writes were not answered 202`] : []),
        ...(dead > 0 ? [`resend: ${dead} writes became dead letters`] : []),
      ],
    };
  });
}

async function parkAll({
  role,
}: RoleServer): Promise<{ readonly perSecond: number; readonly refused: number }> {
  let [sent, refused] = [0, 0];
  const lane = async (): Promise<void> => {
    while (sent < WRITES) {
      sent += 1;
      const response = await fetch(`${role.url}/transaction`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sender: `c${sent}`, receiver: `c${sent + 1}`, amount: sent }),
      });
      await response.arrayBuffer();
      if (response.status !== 202) refused += 1;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: LANES }, lane));
  return { perSecond: WRITES / ((performance.now() - startedAt) / 1_000), refused };
}

/** Resolves when it is reached, and knows that nothing is parked; it is not ready without a worker. */
async function serving(dispatcher: RoleServer): Promise<void> {
  await until(
    async () => (await fetch(`${dispatcher.role.url}/healthz`).catch(() => undefined))?.ok === true,
  );
  await until(async () => (await parked(dispatcher, 'parked')) === 0);
}

/** Resolves when the schedule shows all that was parked. */
async function scheduled(dispatcher: RoleServer): Promise<void> {
  await until(async () => (await parked(dispatcher, 'parked')) >= WRITES);
}

/** Resolves when nothing is parked any more, to the number of dead letters. */
async function drained(dispatcher: RoleServer): Promise<number> {
  await until(async () => (await parked(dispatcher, 'parked')) === 0);
  return parked(dispatcher, 'dead_letter');
}

async function parked({ role }: RoleServer, state: string): Promise<number> {
  return (await role.metric('mini_platform_parked_writes', `state="${state}"`)) ?? Number.NaN;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not over after ${DEADLINE_MS / 1_000} s`);
    await sleep(POLL_MS);
  }
}
