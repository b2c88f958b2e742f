import type { FastifyInstance, RouteOptions } from 'fastify';
import type { Histogram } from 'prom-client';
import type { Metrics } from '../../metrics.ts';

type Series = Pick<Histogram.Internal<'method' | 'route' | 'status'>, 'observe'>;

/** What is known of the requests of a server at this moment. */
export interface RequestCount {
  /** Requests whose clients wait for the answer, bodies that are still coming in included. */
  readonly inFlight: number;
}

/**
 * Counts every request, and times it by route (its pattern, never its path), method and status. The timing
 * hooks are put on each route by itself, because a route that is known costs nothing to look up.
 */
export function observeRequests(http: FastifyInstance, metrics: Pick<Metrics, 'httpRequests'>): RequestCount {
  const count = { inFlight: 0 };
  // On the server, not on its routes: a route's own hooks come after those that may refuse the request.
  http.addHook('onRequest', (_request, reply, done) => {
    count.inFlight += 1;
    // Not onResponse: it does not come when the client goes away before its answer.
    reply.raw.once('close', () => {
      count.inFlight -= 1;
    });
    done();
  });
  http.addHook('onRoute', (route) => {
    const series = seriesByStatus(route, metrics);
    route.onResponse = [
      ...[route.onResponse ?? []].flat(),
      (_request, reply, done) => {
        series(reply.statusCode).observe(reply.elapsedTime / 1000);
        done();
      },
    ];
  });
  return count;
}

/** Looking a series up by its labels costs more than observing it: it is done once for each status. */
function seriesByStatus(
  { method: methods, url: route }: RouteOptions,
  metrics: Pick<Metrics, 'httpRequests'>,
): (status: number) => Series {
  const method = [methods].flat().join(',');
  const known = new Map<number, Series>();
  return (status) => {
    let series = known.get(status);
    if (series === undefined) {
      series = metrics.httpRequests.labels({ method, route, status: String(status) });
      known.set(status, series);
    }
    return series;
  };
}
