import { domains, listen, everyRole, separatePorts } from '../../config/shared-fields.ts';
import { duration, integer, section } from '../../config/fields.ts';
import { roleConfig } from '../../config/role-config.ts';
import type { ConfigOf } from '../../config/role-config.ts';
import { stores } from '../../config/stores.ts';

/** The configuration of a dispatcher. */
export const dispatcherConfig = roleConfig(
  {
    kind: 'DispatcherConfig',
    description: 'The role that answers HTTP and hands operations to workers. It has no database.',
    rules: separatePorts('http', 'admin', 'join', 'metrics'),
  },
  {
    domains,
    http: listen({
      description: 'The HTTP API.',
      port: 8080,
      source: 'spec.dispatcher.service.port',
    }),
    admin: listen({
      description:
        'The routes of administrators; who reaches them may do everything there, so keep them local.',
      port: 9465,
    }),
    join: listen({ description: 'Where workers join.', port: 7400 }),
    ...everyRole,
    maxMembers: integer({
      description: 'How many workers are accepted. It is a soft bound.',
      source: 'spec.worker.maxMembers',
      default: 16,
      minimum: 1,
      maximum: 100,
    }),
    maxInFlight: integer({
      description: 'HTTP requests that are worked on at once; more are refused before their bodies are read.',
      default: 4_096,
      minimum: 1,
      maximum: 65_536,
    }),
    requestTimeout: duration({
      description: 'How long a request may take to arrive whole, from 1s to 2m.',
      default: '10s',
      min: '1s',
      max: '2m',
    }),
    limits: section(
      { description: 'Bounds of the link to each worker.' },
      {
        window: integer({
          description:
            'Operations in flight; the smaller one of this and what the worker allows is in force.',
          default: 1_024,
          minimum: 1,
          maximum: 16_384,
        }),
        windowBytes: integer({
          description: 'Bytes of operations in flight.',
          default: 16_777_216,
          minimum: 4_194_304,
          maximum: 268_435_456,
        }),
      },
    ),
    retry: section(
      { description: 'How long a write may take, and how a parked one is tried again.' },
      {
        deadline: duration({
          description:
            'How long a write is tried before it is parked: kept durably, answered 202 and sent again later. From 100ms to 30s.',
          source: 'spec.retry.deadline',
          default: '2s',
          min: '100ms',
          max: '30s',
        }),
        maxAttempts: integer({
          description:
            'Failures of a parked write itself after which it is set aside for an administrator. A service that is away does not count.',
          source: 'spec.retry.maxAttempts',
          default: 10,
          minimum: 1,
          maximum: 100,
        }),
        backoff: section(
          {
            description: 'Waiting between attempts; it doubles each time, with jitter.',
            source: 'spec.retry.backoff',
            rules: [
              {
                rule: '!has(self.max) || !has(self.initial) || duration(self.max) >= duration(self.initial)',
                fieldPath: '.max',
                message: 'must be at least initial',
              },
            ],
          },
          {
            initial: duration({
              description: 'Wait before the second attempt, from 10ms to 1m.',
              source: 'spec.retry.backoff.initial',
              default: '1s',
              min: '10ms',
              max: '1m',
            }),
            max: duration({
              description: 'Longest wait, from 10ms to 24h.',
              source: 'spec.retry.backoff.max',
              default: '5m',
              min: '10ms',
              max: '24h',
            }),
          },
        ),
      },
    ),
    stores: stores('eventLog', 'cache'),
  },
);

/** A dispatcher's configuration, compiled. */
export type DispatcherConfig = ConfigOf<typeof dispatcherConfig>;
