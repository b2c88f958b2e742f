import fastify, { type FastifyInstance } from 'fastify';
import { addHealthRoutes, type ReadinessSource, type WaitingSource } from './health.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  readonly roles: ReadinessSource;
  readonly waitsFor?: WaitingSource;
  /** Called before metrics are read, to bring gauges up to date. */
  readonly collect: () => void;
}

/** Serves /metrics, /healthz and /readyz on a port of their own. Rejects when the port is taken. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<FastifyInstance> {
  const { metrics, collect } = options;
  const http = fastify({ requestTimeout: 10_000, forceCloseConnections: true });
  addHealthRoutes(http, options.roles, options.waitsFor);
  http.get('/metrics', async (_request, reply) => {
    collect();
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  await http.listen({ host: options.host, port: options.port });
  return http;
}
