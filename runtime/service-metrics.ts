import { Counter, Gauge, type Registry } from 'prom-client';
import { Histogram } from './histogram.ts';

/** What is told of the services that the process connects to; embedded stores have none of it. */
export interface ServiceMetrics {
  readonly serviceUp: Gauge<'service'>;
  readonly serviceFailures: Counter<'service' | 'kind'>;
  readonly serviceReconnects: Counter<'service'>;
  /** Labels: service, request. */
  readonly serviceRequestItems: Histogram;
}

const ITEMS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384];

/** Makes the metrics of the services (metrics.ts). */
export function serviceMetrics(registry: Registry): ServiceMetrics {
  const registers = [registry];
  return {
    serviceUp: new Gauge({
      name: 'mini_platform_service_up',
      help: '1 while a service that this process uses answers, 0 while it is away, refuses, or was not reached yet',
      labelNames: ['service'],
      registers,
    }),
    serviceFailures: new Counter({
      name: 'mini_platform_service_failures_total',
      help: 'Tries that failed because a service was away or refused, by kind; each is followed by another',
      labelNames: ['service', 'kind'],
      registers,
    }),
    serviceReconnects: new Counter({
      name: 'mini_platform_service_reconnects_total',
      help: 'Connections to a service that were lost and made anew',
      labelNames: ['service'],
      registers,
    }),
    serviceRequestItems: new Histogram({
      name: 'mini_platform_service_request_items',
      help: 'How many items one request to a service carried, by request',
      labelNames: ['service', 'request'],
      buckets: ITEMS,
      registry,
    }),
  };
}
