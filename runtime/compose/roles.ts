import { credentials, ServerCredentials } from '@grpc/grpc-js';
import { systemClock } from '../clock.ts';
import type { Domain } from '../domain-kit/domain.ts';
import { FRAUD_SET } from '../domains/bank/fraud.ts';
import type { ReadinessSource } from '../health.ts';
import { DEFAULT_LIMITS } from '../link/protocol.ts';
import type { Logger } from '../logging.ts';
import type { Metrics } from '../metrics.ts';
import { DurableParking } from '../parking/durable-parking.ts';
import { PARKED_WRITES } from '../parking/parked-topic.ts';
import type { DispatcherDirectory, MemberDirectory } from '../ports/membership.ts';
import { Archiver } from '../roles/archiver/archiver.ts';
import type { ArchiverConfig } from '../roles/archiver/config.ts';
import type { DispatcherConfig } from '../roles/dispatcher/config.ts';
import { Dispatcher } from '../roles/dispatcher/dispatcher.ts';
import type { FeederConfig } from '../roles/feeder/config.ts';
import { Feeder } from '../roles/feeder/feeder.ts';
import type { LoadProgress } from '../roles/feeder/load-fraud-list.ts';
import type { WorkerConfig } from '../roles/worker/config.ts';
import { Worker } from '../roles/worker/worker.ts';
import { topicOf } from './domains.ts';
import type { RoleStores } from './role-stores.ts';
import type { Waiting } from './services.ts';

/** What every role of a process is made with. */
export interface RoleContext {
  readonly domains: readonly Domain[];
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Without credentials, join and link servers belong on loopback. */
const LINK = {
  serverCredentials: ServerCredentials.createInsecure(),
  channelCredentials: credentials.createInsecure(),
};

/** Archivers that share a topic. */
const ARCHIVERS = 'archiver';

export interface DispatcherParts {
  readonly config: Omit<DispatcherConfig, 'stores'>;
  /** Asked when the dispatcher starts. */
  readonly stores: () => RoleStores<'log' | 'cache'>;
  readonly directory: MemberDirectory;
  /** Every role of the process, for /readyz on the public port. */
  readonly roles: ReadinessSource;
  /** For the same. */
  readonly waitsFor: () => readonly Waiting[];
}

/** A dispatcher, with the parking of writes that were not decided. */
export function createDispatcher(context: RoleContext, parts: DispatcherParts): Dispatcher {
  const { domains, version, metrics } = context;
  const { config, directory, roles, waitsFor } = parts;
  const { http, join, maxMembers, maxInFlight, requestTimeoutMs, limits, retry } = config;
  const logger = context.logger.child({ role: 'dispatcher' });
  return new Dispatcher({
    ...LINK,
    domains,
    directory,
    parking: {
      create: (send) => {
        const { log, cache } = parts.stores();
        const { maxAttempts, backoff } = retry;
        const pauses = { maxAttempts, initialMs: backoff.initialMs, maxMs: backoff.maxMs };
        return new DurableParking({ log, cache, clock: systemClock, logger, metrics, send, retry: pauses });
      },
      needs: () => {
        const { log, cache, titles } = parts.stores();
        const reach = { log: () => log.ensureTopics([PARKED_WRITES]), cache: () => cache.check() };
        return { titles, reach };
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
    // Everybody may read it there: where services are, and what they say, is for the metrics port.
    waitsFor: () => waitsFor().map(({ service }) => ({ service })),
    clock: systemClock,
    logger,
    metrics,
  });
}

export interface WorkerParts {
  readonly config: Omit<WorkerConfig, 'stores' | 'dispatchers'>;
  readonly stores: RoleStores<'events' | 'documents' | 'log' | 'cache'>;
  readonly directory: DispatcherDirectory;
  readonly uid: string;
}

/** A worker. */
export function createWorker(context: RoleContext, { config, stores, directory, uid }: WorkerParts): Worker {
  const { domains, logger, metrics } = context;
  const { link, limits } = config;
  const { titles, events, documents, log, cache } = stores;
  return new Worker({
    ...LINK,
    uid,
    domains,
    ports: { events, documents, log, cache },
    titles,
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

export interface FeederParts {
  readonly config: Omit<FeederConfig, 'stores'>;
  readonly stores: RoleStores<'cache' | 'objects'>;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** A feeder. */
export function createFeeder(
  { logger, metrics }: Pick<RoleContext, 'logger' | 'metrics'>,
  { config, stores, onProgress = () => {} }: FeederParts,
): Feeder {
  const { source, intervalMs, allowEmpty } = config;
  const { objects, cache, titles } = stores;
  return new Feeder({
    objects,
    cache,
    titles,
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

export interface ArchiverParts {
  readonly config: Omit<ArchiverConfig, 'stores'>;
  readonly stores: RoleStores<'log' | 'objects'>;
}

/** An archiver. Throws a SetupError when nobody writes to what it is to archive. */
export function createArchiver(
  { domains, logger, metrics }: Pick<RoleContext, 'domains' | 'logger' | 'metrics'>,
  { config, stores }: ArchiverParts,
): Archiver {
  const { topic, bucket, batchSize, maxAgeMs } = config;
  const { log, objects, titles } = stores;
  return new Archiver({
    log,
    objects,
    titles,
    topic: topicOf(domains, topic),
    bucket,
    group: ARCHIVERS,
    batchSize,
    maxAgeMs,
    clock: systemClock,
    logger: logger.child({ role: 'archiver' }),
    metrics,
  });
}
