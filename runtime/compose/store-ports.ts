import { ComposedEventStore } from '../adapters/composed/event-store.ts';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../metrics.ts';
import { guardPort } from '../port-guard.ts';
import type { Cache } from '../ports/cache.ts';
import type { DocumentStore } from '../ports/document-store.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { STORE_LABELS } from './services.ts';

/** The stores that roles work on; each role sees those it needs. */
export interface StorePorts {
  readonly events: EventStore;
  readonly documents: DocumentStore;
  readonly log: EventLog;
  readonly cache: Cache;
  readonly objects: ObjectStore;
}

export interface GuardOptions {
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'portCalls'>;
}

/** What requests wait for; a dispatcher gives up before. */
const CALL_TIMEOUT_MS = 4_000;
const LONG_CALL_MS = 30_000;

/** Calls that no request waits for: they make what must exist, or carry as much as an archived object holds. */
const LONG_CALLS: Readonly<Record<string, number>> = Object.fromEntries(
  ['ensureTopics', 'ensureCollections', 'ensureBuckets', 'subscribe', 'put'].map((call) => [
    call,
    LONG_CALL_MS,
  ]),
);

/** The ports, every call timed, bounded and measured. Those that are absent stay absent. */
export function guardStores<P extends Partial<StorePorts>>(ports: P, { clock, metrics }: GuardOptions): P {
  const guarded = Object.entries(ports).map(([name, port]: [string, object]) => {
    const label = name === 'events' ? 'event-store' : STORE_LABELS[name as keyof typeof STORE_LABELS];
    const options = { name: label, timeoutMs: CALL_TIMEOUT_MS, longCalls: LONG_CALLS, clock, metrics };
    return [name, guardPort(port, options)];
  });
  return Object.fromEntries(guarded) as P;
}

/** The event store where documents and log are two: each of its two steps is measured besides. */
export function composedEvents(
  { documents, log }: Pick<StorePorts, 'documents' | 'log'>,
  options: GuardOptions,
): EventStore {
  const guarded = guardStores({ documents, log }, options);
  return new ComposedEventStore(guarded.documents, guarded.log);
}
