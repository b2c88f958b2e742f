import { API_VERSION } from '../schema/api-version.ts';
import { type RoleFields, type RoleKind, startRole } from '../test/helpers/role-processes.ts';
import { storesOf } from '../test/helpers/service-stores.ts';
import { processCpuSeconds } from './proc.ts';
import type { Scope } from './scope.ts';
import type { ServerProcess } from './server-process.ts';
import { type BenchServices, openLogAndObjects } from './services.ts';

/** A bank in processes of its own, on services. */
export interface BankRoles {
  /** Of the HTTP API. */
  readonly url: string;
  readonly dispatcherMetricsUrl: string;
  /** The dispatcher and the worker. */
  readonly processes: readonly ServerProcess[];
  /** URL of the worker's /metrics. */
  readonly workerMetricsUrl: string;
  /** The worker's configuration, for whoever works on the same stores. */
  readonly workerConfig: object;
}

const FRAUD_LIST = { bucket: 'fraud', key: 'fraud-list.txt' };
/** A generator takes a 202 for a success: on a machine that is busy otherwise a write is slow rather than parked. */
const DEADLINE = '5s';
const LOG = { log: { level: 'warn' } };

/** Starts a dispatcher, a worker and a feeder, with a fraud list in force; they end with the scope. */
export async function startBankRoles(scope: Scope, services: BenchServices): Promise<BankRoles> {
  const start = (kind: RoleKind, fields: RoleFields): Promise<RoleServer> =>
    startIn(scope, kind, { ...fields, ...LOG, stores: storesOf(kind, services.stores) });
  await startFraudFeeder(scope, services);
  const dispatcher = await start('dispatcher', { retry: { deadline: DEADLINE } });
  const worker = await start('worker', { dispatchers: [dispatcher.role.joinAddress] });
  await worker.role.ready();
  await dispatcher.role.ready();
  return {
    url: dispatcher.role.url,
    dispatcherMetricsUrl: `${dispatcher.role.metricsUrl}/metrics`,
    processes: [dispatcher, worker],
    workerMetricsUrl: `${worker.role.metricsUrl}/metrics`,
    workerConfig: {
      apiVersion: API_VERSION,
      kind: 'WorkerConfig',
      dispatchers: [dispatcher.role.joinAddress],
      stores: storesOf('worker', services.stores),
    },
  };
}

/** Stores a fraud list and starts a feeder, which ends with the scope; resolves when the list is in force. */
export async function startFraudFeeder(scope: Scope, services: BenchServices): Promise<void> {
  const { objects } = await openLogAndObjects(scope, services);
  await objects.ensureBuckets([FRAUD_LIST.bucket]);
  await objects.put(FRAUD_LIST.bucket, FRAUD_LIST.key, new TextEncoder().encode('mallory\n'));
  const stores = storesOf('feeder', services.stores);
  const { role } = await startIn(scope, 'feeder', { ...LOG, source: FRAUD_LIST, stores });
  await role.ready();
}

/** Starts a role that ends with the scope. */
export async function startIn(scope: Scope, kind: RoleKind, fields: RoleFields): Promise<RoleServer> {
  const role = await startRole(kind, fields);
  return scope.own(
    Promise.resolve({
      name: kind,
      role,
      cpuSeconds: () => (role.pid === undefined ? Promise.resolve(undefined) : processCpuSeconds(role.pid)),
      stop: async () => {
        await role.stop();
        await role.remove();
      },
    }),
  );
}

/** A role under load. */
export interface RoleServer extends ServerProcess {
  readonly role: Awaited<ReturnType<typeof startRole>>;
}
