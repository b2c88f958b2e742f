import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { type FeederMetrics, feederMetrics } from './feeder-metrics.ts';
import { Histogram } from './histogram.ts';
import { type ServiceMetrics, serviceMetrics } from './service-metrics.ts';

const DURATIONS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Every metric of the platform, under its one name. Labels are bounded: never a client, an id or a free text. */
export interface Metrics extends FeederMetrics, ServiceMetrics {
  readonly registry: Registry;
  /** Labels: method, route, status. */
  readonly httpRequests: Histogram;
  readonly httpInFlight: Gauge;
  readonly httpShed: Counter<'reason'>;
  /** Labels: operation, verdict. */
  readonly operations: Histogram;
  readonly operationRetries: Counter<'operation' | 'cause'>;
  readonly lateReplies: Counter;
  readonly members: Gauge<'state'>;
  readonly windowUse: Gauge;
  readonly joins: Counter<'outcome'>;
  readonly workerLinks: Gauge;
  /** Labels: operation, verdict. */
  readonly workerOperations: Histogram;
  /** Label: operation. */
  readonly batchSize: Histogram;
  readonly queued: Gauge<'operation'>;
  readonly republished: Counter<'reason'>;
  readonly unpublishedAge: Gauge;
  /** Labels: port, call, outcome. */
  readonly portCalls: Histogram;
  readonly roleState: Gauge<'role' | 'state'>;
  readonly archivedRecords: Counter;
  readonly archivedObjects: Counter;
  readonly archivedBytes: Counter;
  readonly archiveUploadFailures: Counter;
  readonly archiveConflicts: Counter;
  readonly archiveLag: Gauge<'partition'>;
  readonly archiveOldestAge: Gauge<'partition'>;
  readonly archiveStopped: Gauge<'partition' | 'reason'>;
  readonly parkedWrites: Gauge<'state'>;
  readonly parked: Counter<'operation' | 'cause'>;
  readonly resends: Counter<'operation' | 'verdict'>;
  readonly parkedOverdue: Gauge;
  readonly resenderBreakerOpen: Gauge;
  readonly parkedScheduleBehind: Gauge;
}

/** Makes the metrics in a registry of their own, with Node's default ones (event-loop lag, heap, GC) beside them. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    ...dispatcherMetrics(registry),
    ...workerMetrics(registry),
    ...processMetrics(registry),
    ...feederMetrics(registry),
    ...serviceMetrics(registry),
    ...archiverMetrics(registry),
    ...parkingMetrics(registry),
  };
}

function dispatcherMetrics(
  registry: Registry,
): Pick<
  Metrics,
  | 'httpRequests'
  | 'httpInFlight'
  | 'httpShed'
  | 'operations'
  | 'operationRetries'
  | 'lateReplies'
  | 'members'
  | 'windowUse'
  | 'joins'
> {
  const registers = [registry];
  return {
    httpRequests: new Histogram({
      name: 'mini_platform_http_request_duration_seconds',
      help: 'HTTP requests by route, method and status, from the headers to the end of the answer',
      labelNames: ['method', 'route', 'status'],
      buckets: DURATIONS_S,
      registry,
    }),
    httpInFlight: new Gauge({
      name: 'mini_platform_http_requests_in_flight',
      help: 'HTTP requests that are being answered',
      registers,
    }),
    httpShed: new Counter({
      name: 'mini_platform_http_requests_shed_total',
      help: 'HTTP requests refused with 503 before any work, by what ran short',
      labelNames: ['reason'],
      registers,
    }),
    operations: new Histogram({
      name: 'mini_platform_operation_duration_seconds',
      help: 'Operations as the dispatcher sees them, over all tries, by verdict',
      labelNames: ['operation', 'verdict'],
      buckets: DURATIONS_S,
      registry,
    }),
    operationRetries: new Counter({
      name: 'mini_platform_operation_retries_total',
      help: 'Second tries on another member, by why the first one failed',
      labelNames: ['operation', 'cause'],
      registers,
    }),
    lateReplies: new Counter({
      name: 'mini_platform_link_late_replies_total',
      help: 'Replies that came after their operation had been given up',
      registers,
    }),
    members: new Gauge({
      name: 'mini_platform_members',
      help: 'Workers known to this dispatcher, by state: connecting, usable, leaving',
      labelNames: ['state'],
      registers,
    }),
    windowUse: new Gauge({
      name: 'mini_platform_link_window_use_ratio',
      help: 'Operations in flight as a share of what all usable members take',
      registers,
    }),
    joins: new Counter({
      name: 'mini_platform_joins_total',
      help: 'Join requests by outcome: joined, retry, or why rejected',
      labelNames: ['outcome'],
      registers,
    }),
  };
}

function workerMetrics(
  registry: Registry,
): Pick<
  Metrics,
  'workerLinks' | 'workerOperations' | 'batchSize' | 'queued' | 'republished' | 'unpublishedAge'
> {
  const registers = [registry];
  return {
    workerLinks: new Gauge({
      name: 'mini_platform_worker_links',
      help: 'Links from dispatchers to the workers of this process',
      registers,
    }),
    workerOperations: new Histogram({
      name: 'mini_platform_worker_operation_duration_seconds',
      help: 'Operations as the worker sees them, from arrival to answer, by verdict',
      labelNames: ['operation', 'verdict'],
      buckets: DURATIONS_S,
      registry,
    }),
    batchSize: new Histogram({
      name: 'mini_platform_worker_batch_size',
      help: 'Operations worked on together (group commit)',
      labelNames: ['operation'],
      buckets: BATCH_SIZES,
      registry,
    }),
    queued: new Gauge({
      name: 'mini_platform_worker_queued_operations',
      help: 'Operations that wait for the batch before them',
      labelNames: ['operation'],
      registers,
    }),
    republished: new Counter({
      name: 'mini_platform_events_republished_total',
      help: 'Stored events published once more, by whose they were: own, or of a worker that is gone',
      labelNames: ['reason'],
      registers,
    }),
    unpublishedAge: new Gauge({
      name: 'mini_platform_unpublished_age_seconds',
      help: 'Age of the oldest event of the workers of this process that may be stored and not published',
      registers,
    }),
  };
}

function processMetrics(registry: Registry): Pick<Metrics, 'portCalls' | 'roleState'> {
  const registers = [registry];
  return {
    portCalls: new Histogram({
      name: 'mini_platform_port_call_duration_seconds',
      help: 'Calls to stores, by outcome: ok, or the kind of the error',
      labelNames: ['port', 'call', 'outcome'],
      buckets: DURATIONS_S,
      registry,
    }),
    roleState: new Gauge({
      name: 'mini_platform_role_state',
      help: 'How many roles of this process are in each state of their life',
      labelNames: ['role', 'state'],
      registers,
    }),
  };
}

function parkingMetrics(
  registry: Registry,
): Pick<
  Metrics,
  'parkedWrites' | 'parked' | 'resends' | 'parkedOverdue' | 'resenderBreakerOpen' | 'parkedScheduleBehind'
> {
  const registers = [registry];
  return {
    parkedWrites: new Gauge({
      name: 'mini_platform_parked_writes',
      help: 'Writes that are kept until the store has decided about them, by state: parked, dead_letter',
      labelNames: ['state'],
      registers,
    }),
    parked: new Counter({
      name: 'mini_platform_parked_total',
      help: 'Writes that this process has parked, by why their outcome was not known',
      labelNames: ['operation', 'cause'],
      registers,
    }),
    resends: new Counter({
      name: 'mini_platform_resends_total',
      help: 'Parked writes that this process has sent again, by verdict',
      labelNames: ['operation', 'verdict'],
      registers,
    }),
    parkedOverdue: new Gauge({
      name: 'mini_platform_parked_overdue_seconds',
      help: 'How long the longest-waiting write that was last resent has been due; 0 when none is due',
      registers,
    }),
    resenderBreakerOpen: new Gauge({
      name: 'mini_platform_resender_breaker_open',
      help: '1 while what a resend needs is away and single writes probe for it, otherwise 0',
      registers,
    }),
    parkedScheduleBehind: new Gauge({
      name: 'mini_platform_parked_schedule_behind_records',
      help: 'Records of the topic of parked writes that the schedule in the cache does not show yet',
      registers,
    }),
  };
}

function archiverMetrics(
  registry: Registry,
): Pick<
  Metrics,
  | 'archivedRecords'
  | 'archivedObjects'
  | 'archivedBytes'
  | 'archiveUploadFailures'
  | 'archiveConflicts'
  | 'archiveLag'
  | 'archiveOldestAge'
  | 'archiveStopped'
> {
  const registers = [registry];
  return {
    archivedRecords: new Counter({
      name: 'mini_platform_archive_records_total',
      help: 'Records that this process has stored in the archive',
      registers,
    }),
    archivedObjects: new Counter({
      name: 'mini_platform_archive_objects_total',
      help: 'Objects that this process has stored in the archive',
      registers,
    }),
    archivedBytes: new Counter({
      name: 'mini_platform_archive_bytes_total',
      help: 'Bytes of these objects, compressed',
      registers,
    }),
    archiveUploadFailures: new Counter({
      name: 'mini_platform_archive_upload_failures_total',
      help: 'Tries to store an object that failed; each is followed by another',
      registers,
    }),
    archiveConflicts: new Counter({
      name: 'mini_platform_archive_conflicts_total',
      help: 'Objects that were not stored because another archiver was faster',
      registers,
    }),
    archiveLag: new Gauge({
      name: 'mini_platform_archive_lag_records',
      help: 'Records in the log that are not in the archive yet; absent when it is not known',
      labelNames: ['partition'],
      registers,
    }),
    archiveOldestAge: new Gauge({
      name: 'mini_platform_archive_oldest_unarchived_seconds',
      help: 'Age of the oldest record that is not in the archive yet, 0 if there is none; absent when it is not known',
      labelNames: ['partition'],
      registers,
    }),
    archiveStopped: new Gauge({
      name: 'mini_platform_archive_stopped_partitions',
      help: '1 for each partition that is not archived until somebody mends what the reason says',
      labelNames: ['partition', 'reason'],
      registers,
    }),
  };
}
