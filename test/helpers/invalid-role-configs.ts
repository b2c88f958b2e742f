/**
 * Configuration files that must be refused, with every fault that is told. Unless it is the subject, each begins
 * with the smallest valid file of its kind: two lines for version and kind, one of its own, one with the stores.
 */
export interface InvalidConfig {
  readonly name: string;
  /** The kind that is asked for. */
  readonly kind: 'DispatcherConfig' | 'WorkerConfig' | 'FeederConfig' | 'ArchiverConfig';
  readonly yaml: string;
  readonly faults: readonly ExpectedFault[];
}

export interface ExpectedFault {
  /** Line and column. */
  readonly at: string;
  readonly field: string;
  readonly value: string;
  readonly message: string;
}

/** What no fault may show, wherever it stands in a file of the table. */
export const SECRETS = /hunter2|4711002/;

function fault(at: string, field: string, value: string, message: string): ExpectedFault {
  return { at, field, value, message };
}

interface Parts {
  readonly own?: string;
  readonly stores?: string;
  readonly more?: string;
}

const KAFKA = "eventLog: {kafka: {brokers: ['k:9092'], topicPrefix: p.}}";
const MONGODB = 'documentStore: {mongodb: {database: b, uriFile: /run/uri}}';
const REDIS = "cache: {redis: {url: 'redis://r:6379', keyPrefix: 'p:'}}";
const S3 = "objectStore: {s3: {endpoint: 'http://s3:9000'}}";

function dispatcher(parts: Parts): string {
  return file('DispatcherConfig', {
    own: 'maxInFlight: 100',
    stores: `stores: {${KAFKA}, ${REDIS}}`,
    ...parts,
  });
}

function worker(parts: Parts): string {
  const stores = `stores: {${KAFKA}, ${MONGODB}, ${REDIS}}`;
  return file('WorkerConfig', { own: "dispatchers: ['d:7400']", stores, ...parts });
}

function feeder(parts: Parts): string {
  return file('FeederConfig', {
    own: 'source: {bucket: fraud, key: k}',
    stores: `stores: {${REDIS}, ${S3}}`,
    ...parts,
  });
}

function archiver(parts: Parts): string {
  return file('ArchiverConfig', { own: 'bucket: archive', stores: `stores: {${KAFKA}, ${S3}}`, ...parts });
}

function file(kind: string, { own, stores, more }: Parts): string {
  const lines = ['apiVersion: mini-platform.io/v1alpha1', `kind: ${kind}`, own, stores, more];
  return `${lines.filter((line) => line !== undefined && line !== '').join('\n')}\n`;
}

/** The smallest valid files. */
export const validConfigs: readonly Pick<InvalidConfig, 'kind' | 'yaml'>[] = [
  { kind: 'DispatcherConfig', yaml: dispatcher({}) },
  { kind: 'WorkerConfig', yaml: worker({}) },
  { kind: 'FeederConfig', yaml: feeder({}) },
  { kind: 'ArchiverConfig', yaml: archiver({}) },
];

const unknownFields: readonly InvalidConfig[] = [
  {
    name: 'an unknown field',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'htpp: {port: 80}' }),
    faults: [fault('5:1', 'htpp', 'a map of 1 field', 'is not a known field; did you mean "http"?')],
  },
  {
    name: 'an unknown field without a likely one',
    kind: 'ArchiverConfig',
    yaml: archiver({ more: 'threads: 4' }),
    faults: [
      fault(
        '5:1',
        'threads',
        'not shown',
        'is not a known field; known here: apiVersion, kind, topic, bucket, batchSize, maxAge, metrics, log, drainTimeout, stores',
      ),
    ],
  },
  {
    name: 'an unknown nested field',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'http:\n  prot: 8080' }),
    faults: [
      fault('6:3', 'http.prot', '8080', 'is not a known field (its value: 8080); did you mean "port"?'),
    ],
  },
  {
    name: 'a field in another case',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'maxmembers: 4' }),
    faults: [
      fault('5:1', 'maxmembers', '4', 'is not a known field (its value: 4); did you mean "maxMembers"?'),
    ],
  },
  {
    name: 'a field with a dash',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'max-members: 4' }),
    faults: [
      fault('5:1', 'max-members', '4', 'is not a known field (its value: 4); did you mean "maxMembers"?'),
    ],
  },
  {
    name: 'a field of another role',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'batchSize: 10' }),
    faults: [
      fault(
        '5:1',
        'batchSize',
        'not shown',
        'is not a known field; known here: apiVersion, kind, source, interval, allowEmpty, metrics, log, drainTimeout, stores',
      ),
    ],
  },
  {
    name: 'a store that the role does not use',
    kind: 'ArchiverConfig',
    yaml: archiver({ stores: 'stores: {cache: {redis: {}}}' }),
    faults: [
      fault('4:1', 'stores.eventLog', 'nothing', 'is missing; must be a map with kafka'),
      fault('4:1', 'stores.objectStore', 'nothing', 'is missing; must be a map with s3'),
      fault('4:10', 'stores.cache', 'not shown', 'is not a known field; known here: eventLog, objectStore'),
    ],
  },
  {
    name: 'an embedded store',
    kind: 'FeederConfig',
    yaml: feeder({ stores: 'stores:\n  objectStore: {embedded: {}}' }),
    faults: [
      fault('4:1', 'stores.cache', 'nothing', 'is missing; must be a map with redis'),
      fault('5:3', 'stores.objectStore.s3', 'nothing', 'is missing; must be a map with endpoint'),
      fault('5:17', 'stores.objectStore.embedded', 'not shown', 'is not a known field; known here: s3'),
    ],
  },
  {
    name: 'an unknown field that is null',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'replicas:' }),
    faults: [
      fault(
        '5:1',
        'replicas',
        'not shown',
        'is not a known field; known here: apiVersion, kind, uid, domains, dispatchers, link, metrics, log, drainTimeout, limits, stores',
      ),
    ],
  },
  {
    name: 'metadata, as a resource has it',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'metadata: {name: bank}' }),
    faults: [
      fault(
        '5:1',
        'metadata',
        'not shown',
        'is not a known field; known here: apiVersion, kind, uid, domains, dispatchers, link, metrics, log, drainTimeout, limits, stores',
      ),
    ],
  },
  {
    name: 'a deep unknown field',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'retry: {backoff: {factor: 2}}' }),
    faults: [
      fault(
        '5:19',
        'retry.backoff.factor',
        '2',
        'is not a known field (its value: 2); known here: initial, max',
      ),
    ],
  },
  {
    name: 'an unknown field with a text',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'log: {levle: debug}' }),
    faults: [
      fault(
        '5:7',
        'log.levle',
        '"debug"',
        'is not a known field (its value: "debug"); did you mean "level"?',
      ),
    ],
  },
  {
    name: 'a field named like what every object has',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'constructor: 1\n__proto__: 2' }),
    faults: [
      fault(
        '5:1',
        'constructor',
        'not shown',
        'is not a known field; known here: apiVersion, kind, uid, domains, dispatchers, link, metrics, log, drainTimeout, limits, stores',
      ),
      fault(
        '6:1',
        '__proto__',
        'not shown',
        'is not a known field; known here: apiVersion, kind, uid, domains, dispatchers, link, metrics, log, drainTimeout, limits, stores',
      ),
    ],
  },
];

const wrongTypes: readonly InvalidConfig[] = [
  {
    name: 'a text for a number',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'maxMembers: many' }),
    faults: [fault('5:13', 'maxMembers', '"many"', 'must be a whole number from 1 to 100, but is "many"')],
  },
  {
    name: 'a quoted number',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'maxMembers: "16"' }),
    faults: [fault('5:13', 'maxMembers', '"16"', 'must be a whole number from 1 to 100, but is "16"')],
  },
  {
    name: 'a fraction',
    kind: 'ArchiverConfig',
    yaml: archiver({ more: 'batchSize: 1.5' }),
    faults: [fault('5:12', 'batchSize', '1.5', 'must be a whole number from 1 to 100000, but is 1.5')],
  },
  {
    name: 'a number that is none',
    kind: 'ArchiverConfig',
    yaml: archiver({ more: 'batchSize: .nan' }),
    faults: [fault('5:12', 'batchSize', 'NaN', 'must be a whole number from 1 to 100000, but is NaN')],
  },
  {
    name: 'a number for a text',
    kind: 'ArchiverConfig',
    yaml: archiver({ more: 'topic: 7' }),
    faults: [
      fault('5:8', 'topic', '7', "must be 1 to 128 characters: letters, digits, '-', '_' and '.', but is 7"),
    ],
  },
  {
    name: 'a list for a map',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'http: [8080]' }),
    faults: [fault('5:7', 'http', 'a list of 1 item', 'must be a map, but is a list of 1 item')],
  },
  {
    name: 'a number for a map',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'http: 8080' }),
    faults: [fault('5:7', 'http', '8080', 'must be a map, but is 8080')],
  },
  {
    name: 'a text for a list',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'domains: bank' }),
    faults: [fault('5:10', 'domains', '"bank"', 'must be a list of 1 to 16 items, but is "bank"')],
  },
  {
    name: 'a map for a list',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'domains: {bank: true}' }),
    faults: [
      fault(
        '5:10',
        'domains',
        'a map of 1 field',
        'must be a list of 1 to 16 items, but is a map of 1 field',
      ),
    ],
  },
  {
    name: 'a boolean of YAML 1.1',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'allowEmpty: yes' }),
    faults: [fault('5:13', 'allowEmpty', '"yes"', 'must be true or false, but is "yes"')],
  },
  {
    name: 'a quoted boolean',
    kind: 'FeederConfig',
    yaml: feeder({ more: "allowEmpty: 'true'" }),
    faults: [fault('5:13', 'allowEmpty', '"true"', 'must be true or false, but is "true"')],
  },
  {
    name: 'an octal number of YAML 1.1',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'http: {port: 0o20000000}' }),
    faults: [fault('5:14', 'http.port', '4194304', 'must be a whole number from 0 to 65535, but is 4194304')],
  },
  {
    name: 'a date',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'interval: 2026-01-01' }),
    faults: [
      fault('5:11', 'interval', '"2026-01-01"', 'must be a duration from 1s to 24h, but is "2026-01-01"'),
    ],
  },
];

const bounds: readonly InvalidConfig[] = [
  {
    name: 'a port too large',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'http: {port: 65536}' }),
    faults: [fault('5:14', 'http.port', '65536', 'must be a whole number from 0 to 65535, but is 65536')],
  },
  {
    name: 'a negative port',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'link: {port: -1}' }),
    faults: [fault('5:14', 'link.port', '-1', 'must be a whole number from 0 to 65535, but is -1')],
  },
  {
    name: 'no member',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'maxMembers: 0' }),
    faults: [fault('5:13', 'maxMembers', '0', 'must be a whole number from 1 to 100, but is 0')],
  },
  {
    name: 'too many members',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'maxMembers: 101' }),
    faults: [fault('5:13', 'maxMembers', '101', 'must be a whole number from 1 to 100, but is 101')],
  },
  {
    name: 'an empty batch',
    kind: 'ArchiverConfig',
    yaml: archiver({ more: 'batchSize: 0' }),
    faults: [fault('5:12', 'batchSize', '0', 'must be a whole number from 1 to 100000, but is 0')],
  },
  {
    name: 'a window too small for one operation',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'limits: {windowBytes: 1024}' }),
    faults: [
      fault(
        '5:23',
        'limits.windowBytes',
        '1024',
        'must be a whole number from 4194304 to 268435456, but is 1024',
      ),
    ],
  },
  {
    name: 'no domain',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'domains: []' }),
    faults: [
      fault('5:10', 'domains', 'an empty list', 'must be a list of 1 to 16 items, but is an empty list'),
    ],
  },
  {
    name: 'the same domain twice',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'domains:\n  - bank\n  - orders\n  - bank' }),
    faults: [fault('8:5', 'domains[2]', '"bank"', 'must differ from domains[0], but is "bank"')],
  },
  {
    name: 'a domain in upper case',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'domains: [Bank]' }),
    faults: [
      fault(
        '5:11',
        'domains[0]',
        '"Bank"',
        'must be 1 to 40 characters: lower case letters, digits and \'-\', beginning with a letter and ending with a letter or a digit, but is "Bank"',
      ),
    ],
  },
  {
    name: 'a bucket with a short name',
    kind: 'ArchiverConfig',
    yaml: archiver({ own: 'bucket: ab' }),
    faults: [
      fault(
        '3:9',
        'bucket',
        '"ab"',
        "must be 3 to 63 characters: lower case letters, digits, '-' and '.', beginning and ending with a letter or a digit, but is \"ab\"",
      ),
    ],
  },
  {
    name: 'a long text',
    kind: 'FeederConfig',
    yaml: feeder({
      more: 'log: {level: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}',
    }),
    faults: [
      fault(
        '5:14',
        'log.level',
        '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..." (80 characters)',
        'must be one of trace, debug, info, warn, error, but is "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..." (80 characters)',
      ),
    ],
  },
  {
    name: 'a word that is not allowed',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'log: {format: xml}' }),
    faults: [fault('5:15', 'log.format', '"xml"', 'must be one of json, pretty, but is "xml"')],
  },
  {
    name: 'an empty uid',
    kind: 'WorkerConfig',
    yaml: worker({ more: "uid: ''" }),
    faults: [
      fault(
        '5:6',
        'uid',
        '""',
        "must be 1 to 128 characters: letters, digits, '-', '_' and '.', but is \"\"",
      ),
    ],
  },
  {
    name: 'servers on one port',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'metrics: {port: 8080}' }),
    faults: [fault('5:17', 'metrics.port', '8080', 'must differ from http.port, but is 8080')],
  },
  {
    name: 'servers on one port, one of them on every interface',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'link: {host: 0.0.0.0, port: 9464}' }),
    faults: [fault('5:29', 'metrics.port', '9464', 'must differ from link.port, but is 9464')],
  },
  {
    name: 'a backoff that ends before it begins',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'retry:\n  backoff:\n    initial: 20s\n    max: 10s' }),
    faults: [fault('8:10', 'retry.backoff.max', '"10s"', 'must be at least initial, but is "10s"')],
  },
];

const durations: readonly InvalidConfig[] = [
  {
    name: 'a duration without a unit',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'drainTimeout: 30' }),
    faults: [fault('5:15', 'drainTimeout', '30', 'must be a duration from 1s to 10m, but is 30')],
  },
  {
    name: 'a duration in days',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'interval: 1d' }),
    faults: [fault('5:11', 'interval', '"1d"', 'must be a duration from 1s to 24h, but is "1d"')],
  },
  {
    name: 'a duration with a fraction',
    kind: 'ArchiverConfig',
    yaml: archiver({ more: 'maxAge: 1.5s' }),
    faults: [fault('5:9', 'maxAge', '"1.5s"', 'must be a duration from 1s to 1h, but is "1.5s"')],
  },
  {
    name: 'a duration of two units',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'interval: 1h30m' }),
    faults: [fault('5:11', 'interval', '"1h30m"', 'must be a duration from 1s to 24h, but is "1h30m"')],
  },
  {
    name: 'a duration with a space',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'interval: 30 s' }),
    faults: [fault('5:11', 'interval', '"30 s"', 'must be a duration from 1s to 24h, but is "30 s"')],
  },
  {
    name: 'a negative duration',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'interval: -5s' }),
    faults: [fault('5:11', 'interval', '"-5s"', 'must be a duration from 1s to 24h, but is "-5s"')],
  },
  {
    name: 'a duration below its bound',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'interval: 999ms' }),
    faults: [fault('5:11', 'interval', '"999ms"', 'must be a duration from 1s to 24h, but is "999ms"')],
  },
  {
    name: 'a duration above its bound',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'retry: {deadline: 1h}' }),
    faults: [fault('5:19', 'retry.deadline', '"1h"', 'must be a duration from 100ms to 30s, but is "1h"')],
  },
  {
    name: 'a duration of a lifetime',
    kind: 'ArchiverConfig',
    yaml: archiver({ more: 'maxAge: 999999h' }),
    faults: [fault('5:9', 'maxAge', '"999999h"', 'must be a duration from 1s to 1h, but is "999999h"')],
  },
];

const addresses: readonly InvalidConfig[] = [
  {
    name: 'a dispatcher without a port',
    kind: 'WorkerConfig',
    yaml: worker({ own: 'dispatchers: [dispatcher-0]' }),
    faults: [
      fault(
        '3:15',
        'dispatchers[0]',
        '"dispatcher-0"',
        'must be an address, host:port, such as services.example:9092, but is "dispatcher-0"',
      ),
    ],
  },
  {
    name: 'a dispatcher with a port too large',
    kind: 'WorkerConfig',
    yaml: worker({ own: "dispatchers: ['d:7400', 'd:65536']" }),
    faults: [
      fault(
        '3:25',
        'dispatchers[1]',
        '"d:65536"',
        'must be an address, host:port, such as services.example:9092, but is "d:65536"',
      ),
    ],
  },
  {
    name: 'a dispatcher by URL',
    kind: 'WorkerConfig',
    yaml: worker({ own: "dispatchers: ['http://d:7400']" }),
    faults: [
      fault(
        '3:15',
        'dispatchers[0]',
        '"http://d:7400"',
        'must be an address, host:port, such as services.example:9092, but is "http://d:7400"',
      ),
    ],
  },
  {
    name: 'a port alone',
    kind: 'WorkerConfig',
    yaml: worker({ own: 'dispatchers: [7400]' }),
    faults: [
      fault(
        '3:15',
        'dispatchers[0]',
        '7400',
        'must be an address, host:port, such as services.example:9092, but is 7400',
      ),
    ],
  },
  {
    name: 'an address in place of a host',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: "join: {host: '0.0.0.0:7400'}" }),
    faults: [
      fault(
        '5:14',
        'join.host',
        '"0.0.0.0:7400"',
        'must be a host name or an IPv4 address such as 127.0.0.1, but is "0.0.0.0:7400"',
      ),
    ],
  },
  {
    name: 'a host with a space',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: "http: {host: 'local host'}" }),
    faults: [
      fault(
        '5:14',
        'http.host',
        '"local host"',
        'must be a host name or an IPv4 address such as 127.0.0.1, but is "local host"',
      ),
    ],
  },
  {
    name: 'a broker without a port',
    kind: 'ArchiverConfig',
    yaml: archiver({
      stores:
        "stores: {eventLog: {kafka: {brokers: [kafka], topicPrefix: p.}}, objectStore: {s3: {endpoint: 'http://s3:9000'}}}",
    }),
    faults: [
      fault(
        '4:39',
        'stores.eventLog.kafka.brokers[0]',
        '"kafka"',
        'must be an address, host:port, such as services.example:9092, but is "kafka"',
      ),
    ],
  },
  {
    name: 'an endpoint with a path',
    kind: 'ArchiverConfig',
    yaml: archiver({
      stores:
        "stores: {eventLog: {kafka: {brokers: ['k:9092'], topicPrefix: p.}}, objectStore: {s3: {endpoint: 'http://s3:9000/bucket'}}}",
    }),
    faults: [
      fault(
        '4:98',
        'stores.objectStore.s3.endpoint',
        '"http://s3:9000/bucket"',
        'must be a URL such as https://s3.example, without a path and without credentials, but is "http://s3:9000/bucket"',
      ),
    ],
  },
];

const missing: readonly InvalidConfig[] = [
  {
    name: 'no stores',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ stores: '' }),
    faults: [fault('1:1', 'stores', 'nothing', 'is missing; must be a map with eventLog, cache')],
  },
  {
    name: 'stores that are null',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ stores: 'stores:' }),
    faults: [fault('4:1', 'stores', 'nothing', 'is missing; must be a map with eventLog, cache')],
  },
  {
    name: 'a store that is missing',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ stores: "stores: {eventLog: {kafka: {brokers: ['k:9092'], topicPrefix: p.}}}" }),
    faults: [fault('4:1', 'stores.cache', 'nothing', 'is missing; must be a map with redis')],
  },
  {
    name: 'a connection that is null',
    kind: 'DispatcherConfig',
    yaml: dispatcher({
      stores: "stores:\n  eventLog: {kafka: {brokers: ['k:9092'], topicPrefix: p.}}\n  cache:\n    redis:",
    }),
    faults: [fault('7:5', 'stores.cache.redis', 'nothing', 'is missing; must be a map with keyPrefix')],
  },
  {
    name: 'no dispatcher to join',
    kind: 'WorkerConfig',
    yaml: worker({ own: '' }),
    faults: [fault('1:1', 'dispatchers', 'nothing', 'is missing; must be a list of 1 to 32 items')],
  },
  {
    name: 'no source of the fraud list',
    kind: 'FeederConfig',
    yaml: feeder({ own: '' }),
    faults: [fault('1:1', 'source', 'nothing', 'is missing; must be a map with bucket, key')],
  },
  {
    name: 'a source without its bucket',
    kind: 'FeederConfig',
    yaml: feeder({ own: 'source:\n  key: fraud-list.txt' }),
    faults: [
      fault(
        '3:1',
        'source.bucket',
        'nothing',
        "is missing; must be 3 to 63 characters: lower case letters, digits, '-' and '.', beginning and ending with a letter or a digit",
      ),
    ],
  },
  {
    name: 'neither url nor sentinels',
    kind: 'FeederConfig',
    yaml: feeder({
      stores:
        "stores:\n  cache:\n    redis: {keyPrefix: 'p:'}\n  objectStore: {s3: {endpoint: 'http://s3:9000'}}",
    }),
    faults: [
      fault('6:12', 'stores.cache.redis', 'a map of 2 fields', 'must have exactly one of url and sentinels'),
    ],
  },
  {
    name: 'sentinels without the name of the master',
    kind: 'FeederConfig',
    yaml: feeder({
      stores:
        "stores:\n  cache:\n    redis: {keyPrefix: 'p:', sentinels: ['s:26379']}\n  objectStore: {s3: {endpoint: 'http://s3:9000'}}",
    }),
    faults: [fault('6:41', 'stores.cache.redis.masterName', 'nothing', 'is required with sentinels')],
  },
  {
    name: 'a name to log in by without a password',
    kind: 'ArchiverConfig',
    yaml: archiver({
      stores:
        "stores:\n  eventLog:\n    kafka: {brokers: ['k:9092'], topicPrefix: p., usernameFile: /run/user}\n  objectStore: {s3: {endpoint: 'http://s3:9000'}}",
    }),
    faults: [
      fault(
        '6:12',
        'stores.eventLog.kafka',
        'a map of 7 fields',
        'must have both of usernameFile and passwordFile, or neither',
      ),
    ],
  },
];

const secrets: readonly InvalidConfig[] = [
  {
    name: 'a password inline',
    kind: 'FeederConfig',
    yaml: feeder({
      stores:
        "stores:\n  cache:\n    redis: {url: 'redis://r:6379', keyPrefix: 'p:', password: hunter2}\n  objectStore: {s3: {endpoint: 'http://s3:9000'}}",
    }),
    faults: [
      fault(
        '6:53',
        'stores.cache.redis.password',
        'not shown',
        'is not a known field; a secret is given as a file: name it in "passwordFile"',
      ),
    ],
  },
  {
    name: 'a password in place of its file',
    kind: 'FeederConfig',
    yaml: feeder({
      stores:
        "stores:\n  cache:\n    redis: {url: 'redis://r:6379', keyPrefix: 'p:', passwordFile: hunter2}\n  objectStore: {s3: {endpoint: 'http://s3:9000'}}",
    }),
    faults: [
      fault(
        '6:67',
        'stores.cache.redis.passwordFile',
        'not shown',
        'must be the path of a file, from the root, such as /run/secrets/password; what is there is not shown, because it may be a secret',
      ),
    ],
  },
  {
    name: 'a password that is a number',
    kind: 'FeederConfig',
    yaml: feeder({
      stores:
        "stores:\n  cache:\n    redis: {url: 'redis://r:6379', keyPrefix: 'p:', passwordFile: 4711002}\n  objectStore: {s3: {endpoint: 'http://s3:9000'}}",
    }),
    faults: [
      fault(
        '6:67',
        'stores.cache.redis.passwordFile',
        'not shown',
        'must be the path of a file, from the root, such as /run/secrets/password; what is there is not shown, because it may be a secret',
      ),
    ],
  },
  {
    name: 'a password under a name of its own',
    kind: 'FeederConfig',
    yaml: feeder({
      stores:
        "stores:\n  cache:\n    redis: {url: 'redis://r:6379', keyPrefix: 'p:', pw: hunter2}\n  objectStore: {s3: {endpoint: 'http://s3:9000'}}",
    }),
    faults: [
      fault(
        '6:53',
        'stores.cache.redis.pw',
        'not shown',
        'is not a known field; known here: url, sentinels, masterName, keyPrefix, tls, caFile, usernameFile, passwordFile',
      ),
    ],
  },
  {
    name: 'credentials in a URL',
    kind: 'FeederConfig',
    yaml: feeder({
      stores:
        "stores:\n  cache:\n    redis: {url: 'redis://me:hunter2@r:6379', keyPrefix: 'p:'}\n  objectStore: {s3: {endpoint: 'http://s3:9000'}}",
    }),
    faults: [
      fault(
        '6:18',
        'stores.cache.redis.url',
        '"redis://***@r:6379"',
        'must be a URL such as redis://redis.example:6379, without credentials, but is "redis://***@r:6379"',
      ),
    ],
  },
  {
    name: 'credentials behind a URL',
    kind: 'FeederConfig',
    yaml: feeder({
      stores:
        "stores:\n  cache:\n    redis: {url: 'redis://r:6379?password=hunter2', keyPrefix: 'p:'}\n  objectStore: {s3: {endpoint: 'http://s3:9000'}}",
    }),
    faults: [
      fault(
        '6:18',
        'stores.cache.redis.url',
        '"redis://r:6379?***"',
        'must be a URL such as redis://redis.example:6379, without credentials, but is "redis://r:6379?***"',
      ),
    ],
  },
  {
    name: 'a port that does not exist',
    kind: 'ArchiverConfig',
    yaml: archiver({
      stores:
        "stores: {eventLog: {kafka: {brokers: ['k:65536'], topicPrefix: p.}}, objectStore: {s3: {endpoint: 'http://s3:9000'}}}",
    }),
    faults: [
      fault(
        '4:39',
        'stores.eventLog.kafka.brokers[0]',
        '"k:65536"',
        'must be an address, host:port, such as services.example:9092, but is "k:65536"',
      ),
    ],
  },
  {
    name: 'credentials in an address',
    kind: 'ArchiverConfig',
    yaml: archiver({
      stores:
        "stores: {eventLog: {kafka: {brokers: ['me:hunter2@k:9092'], topicPrefix: p.}}, objectStore: {s3: {endpoint: 'http://s3:9000'}}}",
    }),
    faults: [
      fault(
        '4:39',
        'stores.eventLog.kafka.brokers[0]',
        '"***@k:9092"',
        'must be an address, host:port, such as services.example:9092, but is "***@k:9092"',
      ),
    ],
  },
  {
    name: 'the keys of S3 inline',
    kind: 'ArchiverConfig',
    yaml: archiver({
      stores:
        "stores:\n  eventLog: {kafka: {brokers: ['k:9092'], topicPrefix: p.}}\n  objectStore:\n    s3: {endpoint: 'http://s3:9000', accessKeyId: hunter2, secretAccessKey: hunter2}",
    }),
    faults: [
      fault(
        '7:38',
        'stores.objectStore.s3.accessKeyId',
        'not shown',
        'is not a known field; a secret is given as a file: name it in "accessKeyIdFile"',
      ),
      fault(
        '7:60',
        'stores.objectStore.s3.secretAccessKey',
        'not shown',
        'is not a known field; a secret is given as a file: name it in "secretAccessKeyFile"',
      ),
    ],
  },
  {
    name: 'a connection string inline',
    kind: 'WorkerConfig',
    yaml: worker({
      stores:
        "stores:\n  eventLog: {kafka: {brokers: ['k:9092'], topicPrefix: p.}}\n  documentStore: {mongodb: {database: b, uri: 'mongodb://me:hunter2@m/'}}\n  cache: {redis: {url: 'redis://r:6379', keyPrefix: 'p:'}}",
    }),
    faults: [
      fault(
        '6:19',
        'stores.documentStore.mongodb.uriFile',
        'nothing',
        'is missing; must be the path of a file, from the root, such as /run/secrets/password',
      ),
      fault(
        '6:42',
        'stores.documentStore.mongodb.uri',
        'not shown',
        'is not a known field; a secret is given as a file: name it in "uriFile"',
      ),
    ],
  },
  {
    name: 'a password that is a tag to YAML',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'password: !hunter2' }),
    faults: [
      fault('5:11', '', 'not shown', 'is not valid YAML: tags are not known here; put the text in quotes'),
    ],
  },
  {
    name: 'a password that is an alias to YAML',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'password: *hunter2' }),
    faults: [fault('5:11', '', 'not shown', 'cannot be read: an alias without an anchor before it')],
  },
  {
    name: 'a password that YAML cannot begin a text with',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'password: @hunter2' }),
    faults: [
      fault('5:11', '', 'not shown', 'is not valid YAML: Plain value cannot start with reserved character @'),
    ],
  },
  {
    name: 'a password at the top',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'password: hunter2' }),
    faults: [
      fault(
        '5:1',
        'password',
        'not shown',
        'is not a known field; known here: apiVersion, kind, domains, http, admin, join, metrics, log, drainTimeout, maxMembers, maxInFlight, requestTimeout, limits, retry, stores',
      ),
    ],
  },
];

const heads: readonly InvalidConfig[] = [
  {
    name: 'another kind',
    kind: 'DispatcherConfig',
    yaml: 'apiVersion: mini-platform.io/v1alpha1\nkind: WorkerConfig\nmaxMembers: many\n',
    faults: [fault('2:7', 'kind', '"WorkerConfig"', 'must be DispatcherConfig, but is "WorkerConfig"')],
  },
  {
    name: 'a kind that does not exist',
    kind: 'DispatcherConfig',
    yaml: 'apiVersion: mini-platform.io/v1alpha1\nkind: Dispatcher\n',
    faults: [fault('2:7', 'kind', '"Dispatcher"', 'must be DispatcherConfig, but is "Dispatcher"')],
  },
  {
    name: 'the resource',
    kind: 'DispatcherConfig',
    yaml: 'apiVersion: mini-platform.io/v1alpha1\nkind: MiniPlatform\nmetadata:\n  name: bank\n',
    faults: [fault('2:7', 'kind', '"MiniPlatform"', 'must be DispatcherConfig, but is "MiniPlatform"')],
  },
  {
    name: 'another version',
    kind: 'FeederConfig',
    yaml: "apiVersion: mini-platform.io/v1\nkind: FeederConfig\nsource: {bucket: fraud, key: k}\nstores: {cache: {redis: {url: 'redis://r:6379', keyPrefix: 'p:'}}, objectStore: {s3: {endpoint: 'http://s3:9000'}}}\n",
    faults: [
      fault(
        '1:13',
        'apiVersion',
        '"mini-platform.io/v1"',
        'must be mini-platform.io/v1alpha1, but is "mini-platform.io/v1"',
      ),
    ],
  },
  {
    name: 'neither version nor kind',
    kind: 'FeederConfig',
    yaml: "source: {bucket: fraud, key: k}\nstores: {cache: {redis: {url: 'redis://r:6379', keyPrefix: 'p:'}}, objectStore: {s3: {endpoint: 'http://s3:9000'}}}\n",
    faults: [
      fault('1:1', 'apiVersion', 'nothing', 'is missing; must be mini-platform.io/v1alpha1'),
      fault('1:1', 'kind', 'nothing', 'is missing; must be FeederConfig'),
    ],
  },
];

const texts: readonly InvalidConfig[] = [
  {
    name: 'an empty file',
    kind: 'DispatcherConfig',
    yaml: '',
    faults: [fault('1:1', '', 'not shown', 'is empty; it must hold one DispatcherConfig')],
  },
  {
    name: 'nothing but comments',
    kind: 'DispatcherConfig',
    yaml: '# later\n',
    faults: [fault('1:1', '', 'not shown', 'is empty; it must hold one DispatcherConfig')],
  },
  {
    name: 'null',
    kind: 'DispatcherConfig',
    yaml: 'null\n',
    faults: [fault('1:1', '', 'not shown', 'is empty; it must hold one DispatcherConfig')],
  },
  {
    name: 'a text',
    kind: 'DispatcherConfig',
    yaml: 'hunter2\n',
    faults: [fault('1:1', '', 'not shown', 'must be a map with apiVersion, kind, stores, but is a text')],
  },
  {
    name: 'a list',
    kind: 'FeederConfig',
    yaml: '- kind: FeederConfig\n',
    faults: [
      fault(
        '1:1',
        '',
        'a list of 1 item',
        'must be a map with apiVersion, kind, source, stores, but is a list of 1 item',
      ),
    ],
  },
  {
    name: 'a key twice',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'allowEmpty: true\nallowEmpty: false' }),
    faults: [fault('6:1', 'allowEmpty', 'not shown', 'occurs twice in one map')],
  },
  {
    name: 'a nested key twice',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'retry:\n  backoff:\n    max: 1m\n    max: 2m' }),
    faults: [fault('8:5', 'retry.backoff.max', 'not shown', 'occurs twice in one map')],
  },
  {
    name: 'a tab',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'http:\n\tport: 80' }),
    faults: [fault('6:1', '', 'not shown', 'is not valid YAML: Tabs are not allowed as indentation')],
  },
  {
    name: 'a bracket that stays open',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'domains: [bank\nlog: {level: info}' }),
    faults: [
      fault(
        '6:1',
        '',
        'not shown',
        'is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
      ),
    ],
  },
  {
    name: 'a quote that stays open',
    kind: 'WorkerConfig',
    yaml: worker({ more: 'uid: "worker-1\nlog: {level: info}' }),
    faults: [fault('7:1', '', 'not shown', 'is not valid YAML: Missing closing "quote')],
  },
  {
    name: 'two documents',
    kind: 'FeederConfig',
    yaml: feeder({ more: '---\nkind: WorkerConfig' }),
    faults: [
      fault('5:1', '', 'not shown', 'a second document begins here; the file must hold one FeederConfig'),
    ],
  },
  {
    name: 'an alias without an anchor',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'http: *nowhere' }),
    faults: [fault('5:7', '', 'not shown', 'cannot be read: an alias without an anchor before it')],
  },
  {
    name: 'an alias of itself',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'http: &a {port: *a}' }),
    faults: [fault('5:17', '', 'not shown', 'cannot be read: an alias of itself')],
  },
  {
    name: 'a fault by an alias',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'join: &any {port: any}\nadmin: *any' }),
    faults: [
      fault('5:19', 'join.port', '"any"', 'must be a whole number from 0 to 65535, but is "any"'),
      fault('5:19', 'admin.port', '"any"', 'must be a whole number from 0 to 65535, but is "any"'),
    ],
  },
  {
    name: 'a merge with what does not fit',
    kind: 'DispatcherConfig',
    yaml: dispatcher({ more: 'join: &any {port: 0}\nadmin: {<<: *any, hots: x}' }),
    faults: [
      fault('6:19', 'admin.hots', '"x"', 'is not a known field (its value: "x"); did you mean "host"?'),
    ],
  },
  {
    name: 'a tag',
    kind: 'FeederConfig',
    yaml: feeder({ more: 'allowEmpty: !!str true' }),
    faults: [fault('5:19', 'allowEmpty', '"true"', 'must be true or false, but is "true"')],
  },
  {
    name: 'aliases that unfold without end',
    kind: 'DispatcherConfig',
    yaml: dispatcher({
      more: 'a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c]',
    }),
    faults: [
      fault(
        '1:1',
        '',
        'not shown',
        'cannot be read: Excessive alias count indicates a resource exhaustion attack',
      ),
    ],
  },
];

const several: readonly InvalidConfig[] = [
  {
    name: 'faults of every kind, in the order of the lines',
    kind: 'DispatcherConfig',
    yaml: dispatcher({
      more: 'log: {level: loud}\nretry: {deadline: 1h, maxAttempts: 0}\nhttp: {port: 7400}\nrequestTimeuot: 5s\ndomains: [bank, bank]',
    }),
    faults: [
      fault('5:14', 'log.level', '"loud"', 'must be one of trace, debug, info, warn, error, but is "loud"'),
      fault('6:19', 'retry.deadline', '"1h"', 'must be a duration from 100ms to 30s, but is "1h"'),
      fault('6:36', 'retry.maxAttempts', '0', 'must be a whole number from 1 to 100, but is 0'),
      fault('7:14', 'join.port', '7400', 'must differ from http.port, but is 7400'),
      fault(
        '8:1',
        'requestTimeuot',
        '"5s"',
        'is not a known field (its value: "5s"); did you mean "requestTimeout"?',
      ),
      fault('9:17', 'domains[1]', '"bank"', 'must differ from domains[0], but is "bank"'),
    ],
  },
  {
    name: 'a default that stands in the way of what is written',
    kind: 'ArchiverConfig',
    yaml: archiver({
      stores:
        "stores:\n  eventLog:\n    kafka:\n      brokers: ['k:9092']\n      topicPrefix: p.\n      replicationFactor: 1\n  objectStore: {s3: {endpoint: 'http://s3:9000'}}",
    }),
    faults: [
      fault(
        '9:26',
        'stores.eventLog.kafka.minInsyncReplicas',
        '2',
        'must be at most replicationFactor, but is 2',
      ),
    ],
  },
  {
    name: 'two faults in one line',
    kind: 'ArchiverConfig',
    yaml: archiver({ more: 'log: {level: loud, format: xml}' }),
    faults: [
      fault('5:14', 'log.level', '"loud"', 'must be one of trace, debug, info, warn, error, but is "loud"'),
      fault('5:28', 'log.format', '"xml"', 'must be one of json, pretty, but is "xml"'),
    ],
  },
];

export const invalidConfigs: readonly InvalidConfig[] = [
  ...unknownFields,
  ...wrongTypes,
  ...bounds,
  ...durations,
  ...addresses,
  ...missing,
  ...secrets,
  ...heads,
  ...texts,
  ...several,
];
