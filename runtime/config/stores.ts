import { PATTERNS } from '../../schema/patterns.ts';
import { choice, flag, integer, optional, secretFile, section, set, text } from './fields.ts';
import type { Compiled, Field } from './fields.ts';

const BOTH_OR_NEITHER = (a: string, b: string): { rule: string; message: string } => ({
  rule: `has(self.${a}) == has(self.${b})`,
  message: `must have both of ${a} and ${b}, or neither`,
});

function caFile(source: string): Field<string, 'optional'> {
  return optional(
    text({
      description: 'PEM file with the authorities to trust. When absent, the well-known ones.',
      source,
      maxLength: 4096,
      pattern: PATTERNS.file,
    }),
  );
}

function credential(description: string, source: string): Field<string, 'optional'> {
  return optional(secretFile({ description, source }));
}

const kafka = section(
  {
    description: 'Connection to Kafka.',
    rules: [
      {
        rule: '!has(self.minInsyncReplicas) || !has(self.replicationFactor) || self.minInsyncReplicas <= self.replicationFactor',
        fieldPath: '.minInsyncReplicas',
        message: 'must be at most replicationFactor',
      },
      BOTH_OR_NEITHER('usernameFile', 'passwordFile'),
    ],
  },
  {
    brokers: set(text({ description: 'Address of one broker.', maxLength: 261, pattern: PATTERNS.address }), {
      description: 'Addresses of brokers to ask for the others, as host:port.',
      source: 'spec.kafka.brokers',
      minItems: 1,
      maxItems: 32,
      example: ['kafka.example:9092'],
    }),
    topicPrefix: text({
      description: 'What the names of all topics begin with; the same in every role of a platform.',
      source: 'spec.kafka.topicPrefix',
      minLength: 1,
      maxLength: 110,
      pattern: PATTERNS.name,
      example: 'default.bank.',
    }),
    replicationFactor: integer({
      description: 'Replicas of each topic; topics with fewer are refused.',
      source: 'spec.kafka.replicationFactor',
      default: 3,
      minimum: 1,
      maximum: 9,
    }),
    minInsyncReplicas: integer({
      description: 'Replicas that must have an event before it is acknowledged.',
      source: 'spec.kafka.minInsyncReplicas',
      default: 2,
      minimum: 1,
      maximum: 9,
    }),
    tls: flag({ description: 'Whether to connect by TLS.', source: 'spec.kafka.tls', default: false }),
    caFile: caFile('spec.kafka.caSecret'),
    saslMechanism: choice(['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'], {
      description: 'How to log in, where usernameFile and passwordFile are given.',
      source: 'spec.kafka.saslMechanism',
      default: 'SCRAM-SHA-512',
    }),
    usernameFile: credential('File with the name to log in by.', 'spec.kafka.authSecret'),
    passwordFile: credential('File with the password to log in by.', 'spec.kafka.authSecret'),
  },
);

const mongodb = section(
  { description: 'Connection to MongoDB.' },
  {
    database: text({
      description: 'Name of the database.',
      source: 'spec.mongodb.database',
      minLength: 1,
      maxLength: 63,
      pattern: PATTERNS.database,
      example: 'default-bank',
    }),
    uriFile: secretFile({
      description:
        'File with the connection string, mongodb://... or mongodb+srv://..., with its credentials.',
      source: 'spec.mongodb.uriSecret',
      example: '/run/secrets/mongodb/uri',
    }),
    caFile: caFile('spec.mongodb.caSecret'),
  },
);

const redis = section(
  {
    description: 'Connection to Redis: exactly one of url and sentinels.',
    rules: [
      {
        rule: 'has(self.url) != has(self.sentinels)',
        message: 'must have exactly one of url and sentinels',
      },
      {
        rule: '!has(self.sentinels) || has(self.masterName)',
        fieldPath: '.masterName',
        message: 'is required with sentinels',
      },
      {
        rule: '!has(self.usernameFile) || has(self.passwordFile)',
        fieldPath: '.passwordFile',
        message: 'is required with usernameFile',
      },
    ],
  },
  {
    url: optional(
      text({
        description:
          'Address of one server, redis://host:port or rediss://host:port for TLS, with an optional /database.',
        source: 'spec.redis.url',
        maxLength: 300,
        pattern: PATTERNS.redisUrl,
        example: 'redis://redis.example:6379',
      }),
    ),
    sentinels: optional(
      set(text({ description: 'Address of one Sentinel.', maxLength: 261, pattern: PATTERNS.address }), {
        description: 'Addresses of the Sentinels that name the master, as host:port.',
        source: 'spec.redis.sentinels',
        minItems: 1,
        maxItems: 16,
      }),
    ),
    masterName: optional(
      text({
        description: 'Name under which the Sentinels know the master.',
        source: 'spec.redis.masterName',
        minLength: 1,
        maxLength: 128,
        pattern: PATTERNS.name,
      }),
    ),
    keyPrefix: text({
      description: 'What the names of all keys begin with; the same in every role of a platform.',
      minLength: 1,
      maxLength: 110,
      pattern: PATTERNS.keyPrefix,
      example: 'default.bank:',
    }),
    tls: flag({
      description: 'Whether to connect by TLS to Sentinels and the master. With url, rediss:// says so.',
      source: 'spec.redis.tls',
      default: false,
    }),
    caFile: caFile('spec.redis.caSecret'),
    usernameFile: credential(
      'File with the name to log in by. When there is no such file, the default user is meant.',
      'spec.redis.secret',
    ),
    passwordFile: credential('File with the password to log in by.', 'spec.redis.secret'),
  },
);

const s3 = section(
  {
    description: 'Connection to S3, or what speaks its language.',
    rules: [BOTH_OR_NEITHER('accessKeyIdFile', 'secretAccessKeyFile')],
  },
  {
    endpoint: text({
      description: 'Address of the store, http://host:port or https://host.',
      source: 'spec.s3.endpoint',
      maxLength: 300,
      pattern: PATTERNS.httpUrl,
      example: 'https://s3.example',
    }),
    region: text({
      description: 'Region to sign requests for.',
      source: 'spec.s3.region',
      default: 'us-east-1',
      minLength: 1,
      maxLength: 63,
      pattern: PATTERNS.region,
    }),
    caFile: caFile('spec.s3.caSecret'),
    accessKeyIdFile: credential('File with the id of the access key.', 'spec.s3.secret'),
    secretAccessKeyFile: credential('File with the secret access key.', 'spec.s3.secret'),
  },
);

const STORES = {
  eventLog: section({ description: 'The event log.' }, { kafka }),
  documentStore: section({ description: 'The document store.' }, { mongodb }),
  cache: section({ description: 'The cache.' }, { redis }),
  objectStore: section({ description: 'The object store.' }, { s3 }),
};

/** The stores as they are compiled; each role has some of them. */
export type StoreConfigs = Compiled<typeof STORES>;

/** The stores that a role uses. */
export function stores<K extends keyof StoreConfigs>(
  ...names: readonly K[]
): Field<Pick<StoreConfigs, K>, 'given'> {
  const used = Object.fromEntries(names.map((name) => [name, STORES[name]]));
  const { schema, presence } = section({ description: 'The services that the role uses.' }, used);
  return { schema, presence };
}
