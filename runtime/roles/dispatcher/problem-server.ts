import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { PlatformError } from '../../errors.ts';
import type { Logger } from '../../logging.ts';
import { trackAllowedMethods } from './allowed-methods.ts';
import { answerBrokenHttp } from './broken-http.ts';
import { sendProblem, toPlatformError } from './problem.ts';

/** Bytes of a request's body, unless a route allows itself more. */
const BODY_LIMIT_BYTES = 64 * 1024;
const MAX_PARAM_LENGTH = 2_048;

/**
 * A server without routes that takes JSON only, checks it as it came, and answers whatever is wrong with a problem
 * (RFC 9457). A request must arrive whole within `requestTimeout` ms.
 */
export function createProblemServer(logger: Logger, requestTimeout: number): FastifyInstance {
  const http = createServer(logger, requestTimeout);
  setErrorHandlers(http, trackAllowedMethods(http));
  return http;
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
