import { PATTERNS } from '../../../schema/patterns.ts';
import { domains, listen, everyRole, separatePorts } from '../../config/shared-fields.ts';
import { integer, optional, section, set, text } from '../../config/fields.ts';
import { roleConfig } from '../../config/role-config.ts';
import type { ConfigOf } from '../../config/role-config.ts';
import { stores } from '../../config/stores.ts';

/** The configuration of a worker. */
export const workerConfig = roleConfig(
  {
    kind: 'WorkerConfig',
    description:
      'The role that does the work: it joins every dispatcher and serves operations on the stores.',
    rules: separatePorts('link', 'metrics'),
  },
  {
    uid: optional(
      text({
        description:
          'Who the worker is; it stays the same over restarts, and no two workers share one. When absent, another one at each start.',
        minLength: 1,
        maxLength: 128,
        pattern: PATTERNS.name,
        example: 'worker-1',
      }),
    ),
    domains,
    dispatchers: set(
      text({ description: 'Where one dispatcher is joined.', maxLength: 261, pattern: PATTERNS.address }),
      {
        description: 'The dispatchers to join, all of them, each as host:port of its join server.',
        minItems: 1,
        maxItems: 32,
        example: ['127.0.0.1:7400'],
      },
    ),
    link: listen({ description: 'Where dispatchers connect once the worker has joined.', port: 7401 }),
    ...everyRole,
    limits: section(
      { description: 'Bounds of the work that is taken on.' },
      {
        window: integer({
          description: 'Operations in flight on the link to one dispatcher.',
          default: 1_024,
          minimum: 1,
          maximum: 16_384,
        }),
        batchBytes: integer({
          description:
            'Bytes of requests in one batch; a larger one goes alone. A batch of the event log holds 1 MB.',
          default: 262_144,
          minimum: 16_384,
          maximum: 524_288,
        }),
      },
    ),
    stores: stores('eventLog', 'documentStore', 'cache'),
  },
);

/** A worker's configuration, compiled. */
export type WorkerConfig = ConfigOf<typeof workerConfig>;
