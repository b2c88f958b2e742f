import { credentials, ServerCredentials } from '@grpc/grpc-js';
import type { DispatcherDirectory, MemberDirectory } from '../../runtime/ports/membership.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Domain } from '../../runtime/domain-kit/domain.ts';
import { FRAUD_SET } from '../../runtime/domains/bank/fraud.ts';
import type { Readiness } from '../../runtime/lifecycle.ts';
import { DEFAULT_LIMITS } from '../../runtime/link/protocol.ts';
import type { Logger } from '../../runtime/logging.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { DurableParking } from '../../runtime/parking/durable-parking.ts';
import { Archiver } from '../../runtime/roles/archiver/archiver.ts';
import { Dispatcher } from '../../runtime/roles/dispatcher/dispatcher.ts';
import { Feeder } from '../../runtime/roles/feeder/feeder.ts';
import type { LoadProgress } from '../../runtime/roles/feeder/load-fraud-list.ts';
import { Worker } from '../../runtime/roles/worker/worker.ts';
import { CommandError } from '../command-error.ts';
import type { RoleConfigs } from './role-configs.ts';
import type { StorePorts } from './stores.ts';

/** What every role of the process is made with. */
export interface RoleContext {
  readonly configs: RoleConfigs;
  readonly domains: readonly Domain[];
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The stores; throws before they are open. */
  readonly stores: () => StorePorts;
}

/** Loopback only: nothing leaves this process. */
const LINK = {
  serverCredentials: ServerCredentials.createInsecure(),
  channelCredentials: credentials.createInsecure(),
};

/** Archivers that share a topic. */
const ARCHIVERS = 'archiver';

/** The dispatcher, with the parking of writes that were not decided. */
export function createDispatcher(
  context: RoleContext,
  directory: MemberDirectory,
  roles: () => readonly Readiness[],
): Dispatcher {
  const { configs, domains, version, metrics, stores } = context;
  const { http, join, maxMembers, maxInFlight, requestTimeoutMs, limits, retry } = configs.dispatcher;
  const logger = context.logger.child({ role: 'dispatcher' });
  return new Dispatcher({
    ...LINK,
    domains,
    directory,
    parking: {
      create: (send) => {
        const { log, cache } = stores();
        const { maxAttempts, backoff } = retry;
        const pauses = { maxAttempts, initialMs: backoff.initialMs, maxMs: backoff.maxMs };
        return new DurableParking({ log, cache, clock: systemClock, logger, metrics, send, retry: pauses });
      },
      parkAfterMs: retry.deadlineMs,
    },
    httpHost: http.host,
    httpPort: http.port,
    joinHost: join.host,
    joinPort: join.port,
    maxMembers,
    maxInFlight,
    requestTimeoutMs,
    limits: { ...DEFAULT_LIMITS, ...limits },
    version,
    roles,
    clock: systemClock,
    logger,
    metrics,
  });
}

/** One worker of the process. */
export function createWorker(context: RoleContext, directory: DispatcherDirectory, uid: string): Worker {
  const { configs, domains, logger, metrics, stores } = context;
  const { link, limits } = configs.worker;
  return new Worker({
    ...LINK,
    uid,
    domains,
    ports: stores(),
    directory,
    host: link.host,
    port: link.port,
    limits: { ...DEFAULT_LIMITS, window: limits.window },
    maxBatchBytes: limits.batchBytes,
    clock: systemClock,
    logger: logger.child({ role: 'worker', worker: uid }),
    metrics,
  });
}

/** The feeder; undefined when the resource names no fraud list. */
export function createFeeder(
  { configs, logger, metrics, stores }: RoleContext,
  onProgress: (progress: LoadProgress) => void,
): Feeder | undefined {
  if (configs.feeder === undefined) return undefined;
  const { source, intervalMs, allowEmpty } = configs.feeder;
  const { objects, cache } = stores();
  return new Feeder({
    objects,
    cache,
    source,
    set: FRAUD_SET,
    intervalMs,
    allowEmpty,
    clock: systemClock,
    logger: logger.child({ role: 'feeder' }),
    metrics,
    onProgress,
  });
}

/** The archiver; undefined when the resource wants none. */
export function createArchiver({
  configs,
  domains,
  logger,
  metrics,
  stores,
}: RoleContext): Archiver | undefined {
  if (configs.archiver === undefined) return undefined;
  const { topic: name, bucket, batchSize, maxAgeMs } = configs.archiver;
  const { log, objects } = stores();
  const topic = domains.flatMap(({ topics }) => topics).find((declared) => declared.name === name);
  if (topic === undefined) {
    // Only `long_term_storage` is archived here, and every domain that stores events declares it.
    throw new CommandError(`no domain of this platform writes to ${name}, which is to be archived`);
  }
  return new Archiver({
    log,
    objects,
    topic,
    bucket,
    group: ARCHIVERS,
    batchSize,
    maxAgeMs,
    clock: systemClock,
    logger: logger.child({ role: 'archiver' }),
    metrics,
  });
}
