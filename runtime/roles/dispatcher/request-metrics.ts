import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Histogram } from 'prom-client';
import type { Metrics } from '../../metrics.ts';

type Series = Pick<Histogram.Internal<'method' | 'route' | 'status'>, 'observe'>;

/** Counts and times every request by route (its pattern, never its path), method and status. */
export function observeRequests(
  http: FastifyInstance,
  metrics: Pick<Metrics, 'httpRequests' | 'httpInFlight'>,
): void {
  // Looking a series up by its labels costs more than observing it.
  const known = new Map<string, Series>();
  const seriesOf = (request: FastifyRequest, reply: FastifyReply): Series => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    const key = `${method} ${route} ${reply.statusCode}`;
    let series = known.get(key);
    if (series === undefined) {
      series = metrics.httpRequests.labels({ method, route, status: String(reply.statusCode) });
      known.set(key, series);
    }
    return series;
  };
  http.addHook('onRequest', (_request, _reply, done) => {
    metrics.httpInFlight.inc();
    done();
  });
  http.addHook('onResponse', (request, reply, done) => {
    metrics.httpInFlight.dec();
    seriesOf(request, reply).observe(reply.elapsedTime / 1000);
    done();
  });
}
