import type {} from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { Readiness } from './lifecycle.ts';

/** The roles of a process, for its health routes. */
export type ReadinessSource = () => readonly Readiness[];

const tags = ['health'];

/**
 * Adds /healthz (this process serves) and /readyz (every role of it is ready, with the reasons where not).
 * Neither looks at what is beyond the process: an outage of a store must not restart anything.
 */
export function addHealthRoutes(http: FastifyInstance, roles: ReadinessSource): void {
  http.get('/healthz', { schema: { tags, summary: 'Whether the process serves' } }, () => ({ status: 'ok' }));
  http.get(
    '/readyz',
    { schema: { tags, summary: 'Whether every role is ready, and why not' } },
    (_request, reply) => {
      const all = roles();
      const ready = all.length > 0 && all.every((role) => role.ready);
      reply.code(ready ? 200 : 503);
      return { ready, roles: all };
    },
  );
}
