import { getHeapStatistics } from 'node:v8';
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance, onRequestHookHandler } from 'fastify';
import { PlatformError } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import type { RequestCount } from './request-metrics.ts';

export interface LoadSheddingOptions {
  readonly requests: RequestCount;
  /** Requests that may be worked on at the same time. */
  readonly maxInFlight: number;
  /** The event loop's delay beyond which requests are refused, in ms (1,000). */
  readonly maxLoopDelayMs?: number;
  readonly metrics: Pick<Metrics, 'httpShed'>;
}

/** Beyond it answers would come too late to be of use. */
const MAX_LOOP_DELAY_MS = 1_000;
const MAX_HEAP_SHARE = 0.85;

/**
 * Lets the routes that are added later refuse requests with 503 and Retry-After, before their bodies are read,
 * when the process runs short. The requests must be counted by then (request-metrics.ts).
 */
export async function shedLoad(http: FastifyInstance, options: LoadSheddingOptions): Promise<void> {
  const { requests, maxInFlight, maxLoopDelayMs = MAX_LOOP_DELAY_MS, metrics } = options;
  const isUnderPressure = await watchPressure(http, maxLoopDelayMs);
  const shed: onRequestHookHandler = (_request, _reply, done) => {
    // This request is counted already.
    if (requests.inFlight > maxInFlight) {
      metrics.httpShed.inc({ reason: 'in_flight' });
      done(new PlatformError('NOT_ATTEMPTED', `${maxInFlight} requests are being answered already`));
    } else if (isUnderPressure()) {
      metrics.httpShed.inc({ reason: 'pressure' });
      done(new PlatformError('NOT_ATTEMPTED', 'the dispatcher is short of time or memory'));
    } else {
      done();
    }
  };
  http.addHook('onRoute', (route) => {
    route.onRequest = [...[route.onRequest ?? []].flat(), shed];
  });
}

/**
 * Samples the event loop's delay and the heap. The plugin is given a scope without routes, because its own hook
 * costs more than asking it.
 */
async function watchPressure(http: FastifyInstance, maxEventLoopDelay: number): Promise<() => boolean> {
  let isUnderPressure = (): boolean => false;
  await http.register(async (scope) => {
    await scope.register(underPressure, {
      maxEventLoopDelay,
      maxHeapUsedBytes: getHeapStatistics().heap_size_limit * MAX_HEAP_SHARE,
    });
    isUnderPressure = () => scope.isUnderPressure();
  });
  return () => isUnderPressure();
}
