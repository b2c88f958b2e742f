import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Violation } from '../crash/check/violation.ts';
import { FRAUD_LIST } from '../crash/fraud-list.ts';
import { ARCHIVE_BUCKET, SEED } from '../crash/resource.ts';
import type { RoleFields, RoleKind } from '../helpers/role-processes.ts';
import { serviceStores, type StoreFields, storesOf } from '../helpers/service-stores.ts';
import { KeptRole } from './kept-role.ts';
import { type FaultyServices, startServices } from './services.ts';
import { OwnStores } from './own-stores.ts';

/** Name of the platform within its services. */
const PLATFORM = 'faults';

/** How many processes there are of each role. */
const REPLICAS: Readonly<Record<RoleKind, number>> = { dispatcher: 2, worker: 2, feeder: 1, archiver: 2 };

/** All that can be broken: the processes of a platform, and the services that it is on. */
export interface Topology {
  readonly services: FaultyServices;
  readonly roles: readonly KeptRole[];
  /** The suite's own way to the stores. */
  readonly stores: OwnStores;
  /** Drains the roles, then ends the services. */
  stop(): Promise<void>;
}

/**
 * Starts services, and a platform on them whose roles are processes. Does not wait until it is ready. `folder` gets the
 * files with the secrets, and at the end the logs of the roles; what ends unasked is reported.
 */
export async function startTopology(
  folder: string,
  report: (violation: Violation) => void,
): Promise<Topology> {
  const services = await startServices();
  const roles: KeptRole[] = [];
  let stores: OwnStores | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all(
      roles.map(async (role) => {
        await role.remove();
        await writeFile(path.join(folder, `${role.name}.log`), role.process.log);
      }),
    );
    await stores?.close();
    await services.stop();
  };
  try {
    stores = new OwnStores(services, PLATFORM);
    await stores.objects.ensureBuckets([FRAUD_LIST.bucket, ARCHIVE_BUCKET]);
    const list = await readFile(path.join(SEED, FRAUD_LIST.bucket, FRAUD_LIST.key));
    await stores.objects.put(FRAUD_LIST.bucket, FRAUD_LIST.key, list);
    const fields = await serviceStores(path.join(folder, 'secrets'), PLATFORM, services.addresses);
    await makeRoles(fields, roles, report);
  } catch (error) {
    await stop();
    throw error;
  }
  for (const role of roles) role.spawn();
  return {
    services,
    roles,
    stores,
    async stop() {
      await Promise.all(roles.map((role) => role.stop()));
      await stop();
    },
  };
}

async function makeRoles(
  stores: StoreFields,
  roles: KeptRole[],
  report: (violation: Violation) => void,
): Promise<void> {
  const make = async (kind: RoleKind, fields: RoleFields): Promise<void> => {
    for (let number = 1; number <= REPLICAS[kind]; number += 1) {
      const own = { ...fields, stores: storesOf(kind, stores), log: { level: 'info', format: 'json' } };
      roles.push(await KeptRole.make(`${kind}-${number}`, { kind, fields: own }, report));
    }
  };
  // Small steps and short waits, so that much can go wrong in little time.
  await make('dispatcher', {
    retry: { deadline: '1s', maxAttempts: 3, backoff: { initial: '100ms', max: '2s' } },
  });
  const dispatchers = roles.map(({ process }) => process.joinAddress);
  await make('worker', { dispatchers });
  await make('feeder', { source: FRAUD_LIST, interval: '1s' });
  await make('archiver', { bucket: ARCHIVE_BUCKET, batchSize: 100, maxAge: '1s' });
}
