import { PATTERNS } from '../../schema/patterns.ts';
import type { Rule } from '../../schema/structural.ts';
import { LOG_LEVELS } from '../logging.ts';
import { choice, duration, integer, section, set, text } from './fields.ts';
import type { Field } from './fields.ts';

const host = text({
  description: 'Address to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for every interface.',
  default: '127.0.0.1',
  maxLength: 253,
  pattern: PATTERNS.host,
});

/** What a server listens on. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** Host and port of a server. */
export function listen(about: {
  readonly description: string;
  readonly port: number;
  /** The field of the MiniPlatform that the port is made from. */
  readonly source?: string;
}): Field<Listen, 'given'> {
  const { source } = about;
  const port = integer({
    description: 'Port; 0 lets the system choose one.',
    default: about.port,
    minimum: 0,
    maximum: 65_535,
    ...(source === undefined ? {} : { source }),
  });
  return section({ description: about.description }, { host, port });
}

/** Rules by which servers of one process must not want the same port on the same interface. */
export function separatePorts(...servers: readonly string[]): readonly Rule[] {
  return servers.flatMap((a, index) =>
    servers.slice(index + 1).map((b) => ({
      rule: [
        `self.${a}.port == 0`,
        `self.${a}.port != self.${b}.port`,
        `(self.${a}.host != self.${b}.host && self.${a}.host != '0.0.0.0' && self.${b}.host != '0.0.0.0')`,
      ].join(' || '),
      fieldPath: `.${b}.port`,
      message: `must differ from ${a}.port`,
    })),
  );
}

/** The domains that a role serves. */
export const domains = set(
  text({ description: 'Name of a domain.', minLength: 1, maxLength: 40, pattern: PATTERNS.domain }),
  {
    description: 'The business domains that are served; the same in dispatchers and workers.',
    source: 'spec.domains',
    default: ['bank'],
    minItems: 1,
    maxItems: 16,
  },
);

/** What every role has. */
export const everyRole = {
  metrics: listen({ description: 'Where /metrics, /healthz and /readyz are served.', port: 9464 }),
  log: section(
    { description: 'Logs, on standard error.' },
    {
      level: choice(LOG_LEVELS, { description: 'Least important logs to write.', default: 'info' }),
      format: choice(['json', 'pretty'], {
        description: 'How they look: one JSON object a line, or for people.',
        default: 'json',
      }),
    },
  ),
  drainTimeout: duration({
    description:
      'How long a role that is told to stop may take to finish what it has begun, from 1s to 10m. Keep it below the time after which the process is killed.',
    default: '10s',
    min: '1s',
    max: '10m',
  }),
};
