/**
 * Platforms that must be refused, with the field paths to blame. The same table is for the TypeScript validator
 * and for a real API server (fieldValidation=Strict), which must blame the same paths; so a case has either
 * unknown fields, or misfits of the schema, or broken rules: the API server stops after the first of these kinds.
 */
export interface InvalidPlatform {
  readonly name: string;
  /** The whole resource as YAML. */
  readonly yaml: string;
  /** What is there before, when it is the change that is refused. */
  readonly old?: string;
  /** Every field path that is blamed. */
  readonly paths: readonly string[];
}

function platform(spec: string, name = 'bank'): string {
  const head = `apiVersion: mini-platform.io/v1alpha1\nkind: MiniPlatform\nmetadata:\n  name: ${name}\n`;
  return `${head}spec: ${spec}\n`;
}

function repeated(count: number, item: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => item(index)).join(', ');
}

const unknownFields: readonly InvalidPlatform[] = [
  { name: 'unknown field of spec', yaml: platform('{workers: 3}'), paths: ['spec.workers'] },
  { name: 'unknown nested field', yaml: platform('{worker: {replica: 3}}'), paths: ['spec.worker.replica'] },
  {
    name: 'unknown field in an item of a list',
    yaml: platform('{imagePullSecrets: [{name: a, namespace: b}]}'),
    paths: ['spec.imagePullSecrets[0].namespace'],
  },
  {
    name: 'two unknown fields',
    yaml: platform('{retry: {backoff: {factor: 2}}, debug: true}'),
    paths: ['spec.debug', 'spec.retry.backoff.factor'],
  },
  { name: 'unknown field that is null', yaml: platform('{debug: null}'), paths: ['spec.debug'] },
];

const misfits: readonly InvalidPlatform[] = [
  {
    name: 'text for a number',
    yaml: platform('{worker: {replicas: three}}'),
    paths: ['spec.worker.replicas'],
  },
  { name: 'quoted number', yaml: platform('{worker: {replicas: "3"}}'), paths: ['spec.worker.replicas'] },
  { name: 'fraction', yaml: platform('{worker: {replicas: 1.5}}'), paths: ['spec.worker.replicas'] },
  { name: 'below the minimum', yaml: platform('{worker: {replicas: -1}}'), paths: ['spec.worker.replicas'] },
  { name: 'above the maximum', yaml: platform('{worker: {replicas: 101}}'), paths: ['spec.worker.replicas'] },
  {
    name: 'no dispatcher',
    yaml: platform('{dispatcher: {replicas: 0}}'),
    paths: ['spec.dispatcher.replicas'],
  },
  {
    name: 'port out of range, and an unknown type of Service',
    yaml: platform('{dispatcher: {service: {port: 65536, type: Ingress}}}'),
    paths: ['spec.dispatcher.service.port', 'spec.dispatcher.service.type'],
  },
  { name: 'text for true or false', yaml: platform('{paused: "yes"}'), paths: ['spec.paused'] },
  { name: 'list for a map', yaml: platform('{worker: [2]}'), paths: ['spec.worker'] },
  { name: 'text for a list', yaml: platform('{domains: bank}'), paths: ['spec.domains'] },
  { name: 'scalar for a map', yaml: platform('{worker: 3}'), paths: ['spec.worker'] },
  { name: 'list for the whole spec', yaml: platform('[]'), paths: ['spec'] },
  { name: 'no domain', yaml: platform('{domains: []}'), paths: ['spec.domains'] },
  {
    name: 'the same domain twice',
    yaml: platform('{domains: [bank, orders, bank]}'),
    paths: ['spec.domains[2]'],
  },
  { name: 'domain in upper case', yaml: platform('{domains: [bank, Orders]}'), paths: ['spec.domains[1]'] },
  { name: 'domain that is null', yaml: platform('{domains: [bank, null]}'), paths: ['spec.domains[1]'] },
  {
    name: 'domain with a long name',
    yaml: platform(`{domains: [${'a'.repeat(41)}]}`),
    paths: ['spec.domains[0]'],
  },
  {
    name: 'too many domains',
    yaml: platform(`{domains: [${repeated(17, (index) => `d${index}`)}]}`),
    paths: ['spec.domains'],
  },
  {
    name: 'the same pull secret twice',
    yaml: platform('{imagePullSecrets: [{name: a}, {name: a}]}'),
    paths: ['spec.imagePullSecrets[1]'],
  },
  {
    name: 'pull secret without a name',
    yaml: platform('{imagePullSecrets: [{}]}'),
    paths: ['spec.imagePullSecrets[0].name'],
  },
  { name: 'image with a space', yaml: platform('{image: "a b"}'), paths: ['spec.image'] },
  {
    name: 'duration without a unit',
    yaml: platform('{retry: {deadline: 2}}'),
    paths: ['spec.retry.deadline'],
  },
  { name: 'duration in days', yaml: platform('{feeder: {interval: 1d}}'), paths: ['spec.feeder.interval'] },
  {
    name: 'duration with a fraction',
    yaml: platform('{archiver: {maxAge: 1.5s}}'),
    paths: ['spec.archiver.maxAge'],
  },
  {
    name: 'source without its bucket',
    yaml: platform('{feeder: {source: {key: list.txt}}}'),
    paths: ['spec.feeder.source.bucket'],
  },
  {
    name: 'source whose key is null',
    yaml: platform('{feeder: {source: {bucket: fraud, key: null}}}'),
    paths: ['spec.feeder.source.key'],
  },
  {
    name: 'autoscaling without max',
    yaml: platform('{worker: {autoscaling: {min: 2}}}'),
    paths: ['spec.worker.autoscaling.max'],
  },
  {
    name: 'resources that are no quantities',
    yaml: platform('{worker: {resources: {limits: {cpu: two}, requests: {memory: 512 MiB}}}}'),
    paths: ['spec.worker.resources.limits.cpu', 'spec.worker.resources.requests.memory'],
  },
  {
    name: 'negative quantity',
    yaml: platform('{worker: {resources: {limits: {cpu: -1}}}}'),
    paths: ['spec.worker.resources.limits.cpu'],
  },
  {
    name: 'too many resources',
    yaml: platform(`{dispatcher: {resources: {limits: {${repeated(9, (index) => `r${index}: 1`)}}}}}`),
    paths: ['spec.dispatcher.resources.limits'],
  },
  {
    name: 'broker without a port',
    yaml: platform('{kafka: {brokers: [kafka]}}'),
    paths: ['spec.kafka.brokers[0]'],
  },
  { name: 'no broker', yaml: platform('{kafka: {brokers: []}}'), paths: ['spec.kafka.brokers'] },
  {
    name: 'topic prefix with a slash',
    yaml: platform('{kafka: {topicPrefix: a/b}}'),
    paths: ['spec.kafka.topicPrefix'],
  },
  {
    name: 'credentials in the URL of redis',
    yaml: platform('{redis: {url: "redis://user:secret@redis:6379"}}'),
    paths: ['spec.redis.url'],
  },
  {
    name: 'credentials behind the URL of redis',
    yaml: platform('{redis: {url: "redis://redis:6379?password=secret"}}'),
    paths: ['spec.redis.url'],
  },
  {
    name: 'credentials behind the endpoint',
    yaml: platform('{s3: {endpoint: "https://s3.example?key=secret"}}'),
    paths: ['spec.s3.endpoint'],
  },
  {
    name: 'ports that do not exist',
    yaml: platform(
      '{kafka: {brokers: ["k:9092", "k:65536"]}, redis: {sentinels: ["s:0"], masterName: m}, s3: {endpoint: "http://s3:99999"}}',
    ),
    paths: ['spec.kafka.brokers[1]', 'spec.redis.sentinels[0]', 'spec.s3.endpoint'],
  },
  {
    name: 'endpoint that is no URL',
    yaml: platform('{s3: {endpoint: s3.example}}'),
    paths: ['spec.s3.endpoint'],
  },
  {
    name: 'bucket with a short name',
    yaml: platform('{s3: {buckets: {archive: ab}}}'),
    paths: ['spec.s3.buckets.archive'],
  },
  {
    name: 'secret as a text',
    yaml: platform('{mongodb: {uriSecret: mongodb}}'),
    paths: ['spec.mongodb.uriSecret'],
  },
  { name: 'secret without a name', yaml: platform('{s3: {secret: {}}}'), paths: ['spec.s3.secret.name'] },
  {
    name: 'many faults at once',
    yaml: platform(
      '{domains: [Bank], worker: {replicas: x}, archiver: {batchSize: 0}, monitoring: {podMonitor: 1}}',
    ),
    paths: [
      'spec.archiver.batchSize',
      'spec.domains[0]',
      'spec.monitoring.podMonitor',
      'spec.worker.replicas',
    ],
  },
];

const brokenRules: readonly InvalidPlatform[] = [
  { name: 'name of 41 characters', yaml: platform('{}', 'a'.repeat(41)), paths: ['metadata.name'] },
  { name: 'name that begins with a digit', yaml: platform('{}', '9bank'), paths: ['metadata.name'] },
  { name: 'name with a dot', yaml: platform('{}', 'my.bank'), paths: ['metadata.name'] },
  { name: 'redis by neither url nor sentinels', yaml: platform('{redis: {}}'), paths: ['spec.redis'] },
  {
    name: 'redis by both url and sentinels',
    yaml: platform('{redis: {url: "redis://r:6379", sentinels: ["s:26379"], masterName: m}}'),
    paths: ['spec.redis'],
  },
  {
    name: 'sentinels without masterName',
    yaml: platform('{redis: {sentinels: ["s:26379"]}}'),
    paths: ['spec.redis.masterName'],
  },
  {
    name: 'autoscaling with max below min',
    yaml: platform('{worker: {autoscaling: {min: 3, max: 2}}}'),
    paths: ['spec.worker.autoscaling.max'],
  },
  {
    name: 'more replicas in sync than replicas',
    yaml: platform('{kafka: {replicationFactor: 1}}'),
    paths: ['spec.kafka.minInsyncReplicas'],
  },
  {
    name: 'interval below its bound',
    yaml: platform('{feeder: {interval: 999ms}}'),
    paths: ['spec.feeder.interval'],
  },
  {
    name: 'maxAge above its bound',
    yaml: platform('{archiver: {maxAge: 61m}}'),
    paths: ['spec.archiver.maxAge'],
  },
  { name: 'deadline of nothing', yaml: platform('{retry: {deadline: 0s}}'), paths: ['spec.retry.deadline'] },
  {
    name: 'deadline of a lifetime',
    yaml: platform('{retry: {deadline: 999999h}}'),
    paths: ['spec.retry.deadline'],
  },
  {
    name: 'backoff out of its bounds',
    yaml: platform('{retry: {backoff: {initial: 9ms, max: 25h}}}'),
    paths: ['spec.retry.backoff.initial', 'spec.retry.backoff.max'],
  },
  {
    name: 'backoff with max below initial',
    yaml: platform('{retry: {backoff: {initial: 20s, max: 10s}}}'),
    paths: ['spec.retry.backoff.max'],
  },
];

const forbiddenChanges: readonly InvalidPlatform[] = [
  {
    name: 'another topic prefix',
    old: platform('{kafka: {topicPrefix: a.}}'),
    yaml: platform('{kafka: {topicPrefix: b.}}'),
    paths: ['spec.kafka.topicPrefix'],
  },
  {
    name: 'a topic prefix where there was none',
    old: platform('{}'),
    yaml: platform('{kafka: {topicPrefix: b.}}'),
    paths: ['spec.kafka.topicPrefix'],
  },
  {
    name: 'the topic prefix taken away',
    old: platform('{kafka: {topicPrefix: a.}}'),
    yaml: platform('{kafka: {}}'),
    paths: ['spec.kafka.topicPrefix'],
  },
  {
    name: 'another database',
    old: platform('{mongodb: {database: a}}'),
    yaml: platform('{mongodb: {database: b}}'),
    paths: ['spec.mongodb.database'],
  },
  {
    name: 'another bucket',
    old: platform('{s3: {buckets: {archive: old-archive}}}'),
    yaml: platform('{s3: {buckets: {archive: new-archive}}}'),
    paths: ['spec.s3.buckets'],
  },
];

export const invalidPlatforms: readonly InvalidPlatform[] = [
  ...unknownFields,
  ...misfits,
  ...brokenRules,
  ...forbiddenChanges,
];
