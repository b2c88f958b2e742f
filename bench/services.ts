import path from 'node:path';
import { systemClock } from '../runtime/clock.ts';
import { openServices } from '../runtime/compose/services.ts';
import { compileConfig } from '../runtime/config/role-config.ts';
import { ROLE_CONFIGS } from '../runtime/config/roles.ts';
import { createLogger } from '../runtime/logging.ts';
import { createMetrics } from '../runtime/metrics.ts';
import type { EventLog } from '../runtime/ports/event-log.ts';
import type { ObjectStore } from '../runtime/ports/object-store.ts';
import { API_VERSION } from '../schema/api-version.ts';
import { serviceStores, type StoreFields, storesOf } from '../test/helpers/service-stores.ts';
import { startKafka } from '../test/services/kafka.ts';
import { startMongo } from '../test/services/mongodb.ts';
import { startRedis } from '../test/services/redis.ts';
import { startS3 } from '../test/services/s3.ts';
import type { Server } from '../test/services/server-process.ts';
import { treeCpuSeconds } from './proc.ts';
import type { Scope } from './scope.ts';
import type { ServerProcess } from './server-process.ts';

/** Real services on this machine, made for one benchmark. */
export interface BenchServices {
  /** As the roles' configuration files name them. */
  readonly stores: StoreFields;
  /** Each of them, for the CPU time that it takes. */
  readonly processes: readonly ServerProcess[];
}

const NAME = 'bench';

/** Starts Kafka, MongoDB, Redis and S3, each with one node, empty; they end with the scope. */
export async function startServices(scope: Scope): Promise<BenchServices> {
  // One after the other: where they have to be built first, they tell their progress.
  const kafka = await scope.own(startKafka());
  const mongodb = await scope.own(startMongo());
  const redis = await scope.own(startRedis());
  const s3 = await scope.own(startS3());
  const folder = path.join(await scope.temporaryDirectory(), 'secrets');
  const stores = await serviceStores(folder, NAME, {
    kafka: { brokers: [kafka.address] },
    mongodb,
    redis: { url: redis.url },
    s3,
  });
  const processes = Object.entries({ kafka, mongodb, redis, s3 }).map(([name, server]) =>
    asProcess(name, server),
  );
  return { stores, processes };
}

/** Connects this process to the log and to the objects, until the scope ends. */
export async function openLogAndObjects(
  scope: Scope,
  { stores }: BenchServices,
): Promise<{ readonly log: EventLog; readonly objects: ObjectStore }> {
  const compiled = compileConfig(ROLE_CONFIGS.archiver, {
    apiVersion: API_VERSION,
    kind: ROLE_CONFIGS.archiver.kind,
    bucket: NAME,
    stores: storesOf('archiver', stores),
  });
  if (!compiled.ok) throw new Error(compiled.faults.map(({ message }) => message).join('\n'));
  const services = await openServices(compiled.config.stores, {
    clientName: NAME,
    clock: systemClock,
    logger: createLogger('json', 'warn'),
    metrics: createMetrics(),
  });
  await scope.own(Promise.resolve({ stop: () => services.close() }));
  const { log, objects } = services.ports;
  if (log === undefined || objects === undefined) throw new Error('a service was not opened');
  return { log, objects };
}

function asProcess(name: string, server: Server): ServerProcess {
  return { name, cpuSeconds: () => cpuOf(server), stop: () => server.stop() };
}

/** CPU time of all its processes; undefined where that of one is not known. */
async function cpuOf({ pids }: Server): Promise<number | undefined> {
  let total = 0;
  for (const pid of pids) {
    const seconds = await treeCpuSeconds(pid);
    if (seconds === undefined) return undefined;
    total += seconds;
  }
  return pids.length === 0 ? undefined : total;
}
