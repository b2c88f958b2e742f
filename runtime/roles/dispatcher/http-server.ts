import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Dispatch, Domain } from '../../domain-kit/domain.ts';
import { PlatformError } from '../../errors.ts';
import { addHealthRoutes, type ReadinessSource } from '../../health.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import { trackAllowedMethods } from './allowed-methods.ts';
import { describeApi } from './api-description.ts';
import { answerBrokenHttp } from './broken-http.ts';
import { shedLoad } from './load-shedding.ts';
import { sendProblem, toPlatformError } from './problem.ts';
import { observeRequests, type RequestCount } from './request-metrics.ts';

export interface HttpServerOptions {
  readonly domains: readonly Domain[];
  readonly dispatch: Dispatch;
  readonly roles: ReadinessSource;
  readonly version: string;
  readonly maxInFlight: number;
  /** How long a request may take to arrive whole, in ms (10,000). */
  readonly requestTimeoutMs?: number;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'httpRequests' | 'httpShed'>;
}

/** Bytes of a request's body, unless a route allows itself more. */
const BODY_LIMIT_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_PARAM_LENGTH = 2_048;

/** A server that does not listen yet. */
export interface HttpServer {
  readonly http: FastifyInstance;
  readonly requests: RequestCount;
}

/** Builds the dispatcher's HTTP server, without listening: routes can be tried by `inject`. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const http = createServer(options.logger, options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS);
  const allowedMethods = trackAllowedMethods(http);
  const requests = observeRequests(http, options.metrics);
  setErrorHandlers(http, allowedMethods);
  await describeApi(http, options.version);
  addHealthRoutes(http, options.roles);
  await http.register(async (scope) => {
    await shedLoad(scope, { ...options, requests });
    for (const domain of options.domains) {
      domain.routes?.(scope.withTypeProvider<TypeBoxTypeProvider>(), options.dispatch);
    }
  });
  return { http, requests };
}

function createServer(logger: Logger, requestTimeout: number): FastifyInstance {
  // Fastify's own news (that it listens) is said by whoever starts it.
  const instance: FastifyBaseLogger = logger.isLevelEnabled('info')
    ? logger.child({}, { level: 'warn' })
    : logger;
  const http = fastify({
    loggerInstance: instance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout,
    // Node applies no time-out to a request before that of its headers, and looks for late ones every 30 s, unless
    // it is told otherwise.
    http: {
      headersTimeout: requestTimeout,
      connectionsCheckingInterval: Math.min(1_000, requestTimeout / 2),
    },
    // Longer than the idle time of usual load balancers, so that it is they who close.
    keepAliveTimeout: 72_000,
    // A draining dispatcher answers what it has accepted, and never with a closing 503.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
    frameworkErrors: (error, request, reply) => void sendProblem(request, reply, toPlatformError(error)),
    // One logger for all requests, without a child for each: who logs names the request.
    childLoggerFactory: () => instance,
    clientErrorHandler: answerBrokenHttp,
  });
  // Only JSON is taken; Fastify's text parser would let text/plain reach the schema as a string.
  http.removeContentTypeParser('text/plain');
  return http;
}

function setErrorHandlers(http: FastifyInstance, allowedMethods: (url: string) => readonly string[]): void {
  http.setErrorHandler<Error & Parameters<typeof toPlatformError>[0]>((error, request, reply) => {
    const known = toPlatformError(error);
    if (known.code === 'INTERNAL')
      request.log.error({ err: error, requestId: request.id }, 'a request failed');
    if (known.code !== 'BODY_TOO_LARGE') return sendProblem(request, reply, known);
    const limit = request.routeOptions.bodyLimit;
    return sendProblem(request, reply, new PlatformError(known.code, known.message, { limit }));
  });
  http.setNotFoundHandler((request, reply) => {
    const methods = allowedMethods(request.url);
    if (methods.length === 0) {
      return sendProblem(
        request,
        reply,
        new PlatformError('NOT_FOUND', `there is no ${request.url.slice(0, 200)}`),
      );
    }
    reply.header('allow', methods.join(', '));
    const message = `this path takes ${methods.join(', ')}, not ${request.method}`;
    return sendProblem(request, reply, new PlatformError('METHOD_NOT_ALLOWED', message));
  });
}
