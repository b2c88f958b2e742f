import { getHeapStatistics } from 'node:v8';
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import { PlatformError } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import type { RequestCount } from './request-metrics.ts';

export interface LoadSheddingOptions {
  readonly requests: RequestCount;
  /** Requests that may be worked on at the same time. */
  readonly maxInFlight: number;
  readonly metrics: Pick<Metrics, 'httpShed'>;
}

/** The event loop's delay beyond which requests are refused, in ms: answers would come too late to be of use. */
const MAX_LOOP_DELAY_MS = 1_000;
const MAX_HEAP_SHARE = 0.85;

/** Refuses requests with 503 and Retry-After, before their bodies are read, when the process runs short. */
export async function shedLoad(http: FastifyInstance, options: LoadSheddingOptions): Promise<void> {
  const { requests, maxInFlight, metrics } = options;
  http.addHook('onRequest', (_request, _reply, done) => {
    // This request is counted already.
    if (requests.inFlight <= maxInFlight) {
      done();
      return;
    }
    metrics.httpShed.inc({ reason: 'in_flight' });
    done(new PlatformError('NOT_ATTEMPTED', `${maxInFlight} requests are being answered already`));
  });
  await http.register(underPressure, {
    maxEventLoopDelay: MAX_LOOP_DELAY_MS,
    maxHeapUsedBytes: getHeapStatistics().heap_size_limit * MAX_HEAP_SHARE,
    pressureHandler: (_request, _reply, type) => {
      metrics.httpShed.inc({ reason: type });
      return Promise.reject(new PlatformError('NOT_ATTEMPTED', `the dispatcher is overloaded (${type})`));
    },
  });
}
