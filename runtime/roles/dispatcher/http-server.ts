import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Dispatch, Domain } from '../../domain-kit/domain.ts';
import { addHealthRoutes, type ReadinessSource, type WaitingSource } from '../../health.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import type { Parking } from '../../parking/parking.ts';
import { describeApi } from './api-description.ts';
import { addEventRoutes } from './events-routes.ts';
import { shedLoad } from './load-shedding.ts';
import { createProblemServer } from './problem-server.ts';
import { observeRequests, type RequestCount } from './request-metrics.ts';

export interface HttpServerOptions {
  readonly domains: readonly Domain[];
  readonly dispatch: Dispatch;
  /** Absent where writes are not parked. */
  readonly parking?: Pick<Parking, 'find'> | undefined;
  readonly roles: ReadinessSource;
  readonly waitsFor?: WaitingSource;
  readonly version: string;
  readonly maxInFlight: number;
  /** The event loop's delay beyond which requests are refused, in ms (1,000). */
  readonly maxLoopDelayMs?: number;
  /** How long a request may take to arrive whole, in ms (10,000). */
  readonly requestTimeoutMs?: number;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'httpRequests' | 'httpShed'>;
}

const REQUEST_TIMEOUT_MS = 10_000;

/** A server that does not listen yet. */
export interface HttpServer {
  readonly http: FastifyInstance;
  readonly requests: RequestCount;
}

/** Builds the dispatcher's HTTP server, without listening: routes can be tried by `inject`. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const http = createProblemServer(options.logger, options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS);
  const requests = observeRequests(http, options.metrics);
  await describeApi(http, options.version);
  addHealthRoutes(http, options.roles, options.waitsFor);
  await http.register(async (scope) => {
    await shedLoad(scope, { ...options, requests });
    const typed = scope.withTypeProvider<TypeBoxTypeProvider>();
    for (const domain of options.domains) domain.routes?.(typed, options.dispatch);
    addEventRoutes(typed, options);
  });
  return { http, requests };
}
