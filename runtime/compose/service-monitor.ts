import type { Clock } from '../clock.ts';
import type { Logger } from '../logging.ts';
import type { PortError } from '../ports/port-error.ts';
import type { ServiceObserver } from '../ports/service-observer.ts';
import type { ServiceMetrics } from '../service-metrics.ts';

export interface ServiceMonitorOptions {
  /** Name in metrics, such as `event-log`; the one that its calls are counted under. */
  readonly service: string;
  /** What it is called in logs and in /readyz: `the event log (Kafka at kafka.example:9092)`. */
  readonly title: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ServiceMetrics;
}

/** How one service does, as its adapter tells it: in metrics, in one log line at each change, and for /readyz. */
export class ServiceMonitor implements ServiceObserver {
  readonly service: string;
  readonly title: string;
  readonly #options: ServiceMonitorOptions;
  /** The last failure since the service answered; undefined while it does, and before anybody asked. */
  #failure: PortError | undefined;
  #since: number;

  constructor(options: ServiceMonitorOptions) {
    this.#options = options;
    this.service = options.service;
    this.title = options.title;
    this.#since = options.clock.monotonic();
    options.metrics.serviceUp.set({ service: options.service }, 0);
    options.metrics.serviceReconnects.inc({ service: options.service }, 0);
  }

  /** Why the service cannot be used, for people; undefined when nothing is known against it. */
  get trouble(): string | undefined {
    return this.#failure?.message;
  }

  up(): void {
    const { service, clock, logger, metrics } = this.#options;
    metrics.serviceUp.set({ service }, 1);
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    const awayMs = Math.round(clock.monotonic() - this.#since);
    logger.info({ service, awayMs }, `${this.title} answers again`);
  }

  down(error: PortError): void {
    const { service, clock, logger, metrics } = this.#options;
    const before = this.#failure;
    this.#failure = error;
    metrics.serviceUp.set({ service }, 0);
    metrics.serviceFailures.inc({ service, kind: error.kind });
    // That it refuses is news, also where it was away before: somebody has to mend it.
    if (before !== undefined && isRefused(before) === isRefused(error)) return;
    if (before === undefined) this.#since = clock.monotonic();
    const what = isRefused(error) ? `${this.title} refuses` : `${this.title} is away`;
    logger.warn({ service, kind: error.kind }, `${what}: ${error.message}`);
  }

  reconnected(): void {
    const { service, metrics } = this.#options;
    metrics.serviceReconnects.inc({ service });
  }

  sent(request: string, items: number): void {
    const { service, metrics } = this.#options;
    metrics.serviceRequestItems.observe(items, service, request);
  }
}

function isRefused({ kind }: PortError): boolean {
  return kind === 'refused' || kind === 'invalid';
}
