import type {} from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { Readiness } from './lifecycle.ts';

/** The roles of a process, for its health routes. */
export type ReadinessSource = () => readonly Readiness[];

/** The services that cannot be used now, as the process was told, for its health routes. */
export type WaitingSource = () => readonly object[];

const tags = ['health'];

/**
 * Adds /healthz (this process serves) and /readyz (every role of it is ready, with the reasons where not, and which
 * services are waited for). Neither looks at what is beyond the process: an outage of a store must not restart
 * anything, and a role may well be ready while a service is away.
 */
export function addHealthRoutes(
  http: FastifyInstance,
  roles: ReadinessSource,
  waitsFor: WaitingSource = () => [],
): void {
  http.get('/healthz', { schema: { tags, summary: 'Whether the process serves' } }, () => ({ status: 'ok' }));
  http.get(
    '/readyz',
    { schema: { tags, summary: 'Whether every role is ready, and why not' } },
    (_request, reply) => {
      const all = roles();
      const ready = all.length > 0 && all.every((role) => role.ready);
      reply.code(ready ? 200 : 503);
      const waiting = waitsFor();
      return { ready, roles: all, ...(waiting.length === 0 ? {} : { waitsFor: waiting }) };
    },
  );
}
