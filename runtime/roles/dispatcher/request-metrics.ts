import type { FastifyInstance, onRequestHookHandler } from 'fastify';
import type { Metrics } from '../../metrics.ts';

/** What is known of the requests of a server at this moment. */
export interface RequestCount {
  /** Requests whose clients wait for the answer, bodies that are still coming in included. */
  readonly inFlight: number;
}

/** As proxies write it down: the client went away before its answer. */
const CLIENT_GONE = '499';

/**
 * Counts every request of every route that is added later, and times it by route (its pattern, never its path),
 * method and status. One hook on each route does it all: hooks of a server run through more machinery than this
 * takes itself, and a route that is known need not be looked up.
 */
export function observeRequests(http: FastifyInstance, metrics: Pick<Metrics, 'httpRequests'>): RequestCount {
  const count = { inFlight: 0 };
  http.addHook('onRoute', (route) => {
    const method = [route.method].flat().join(',');
    const observe: onRequestHookHandler = (_request, { raw }, done) => {
      count.inFlight += 1;
      const started = performance.now();
      // Not onResponse: it does not come when the client goes away before its answer. It is emitted once.
      raw.on('close', () => {
        count.inFlight -= 1;
        const seconds = (performance.now() - started) / 1000;
        const status = raw.writableFinished ? String(raw.statusCode) : CLIENT_GONE;
        metrics.httpRequests.observe(seconds, method, route.url, status);
      });
      done();
    };
    route.onRequest = [observe, ...[route.onRequest ?? []].flat()];
  });
  return count;
}
