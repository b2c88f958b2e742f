import type { Clock } from '../clock.ts';
import type { StoreConfigs } from '../config/stores.ts';
import type { Logger } from '../logging.ts';
import type { Cache } from '../ports/cache.ts';
import type { DocumentStore } from '../ports/document-store.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ServiceObserver } from '../ports/service-observer.ts';
import type { ServiceMetrics } from '../service-metrics.ts';
import { STORE_TITLES, type StoreName, type StoreTitles } from '../service-wait.ts';
import { readCertificates, readOptionalSecret, readSecret } from './secret-files.ts';
import { ServiceMonitor } from './service-monitor.ts';
import { kafkaAt, mongodbAt, redisAt, s3At } from './service-titles.ts';

/** The services that are connected to; a store that is absent is not among them. */
export interface ServicePorts {
  readonly log?: EventLog;
  readonly documents?: DocumentStore;
  readonly cache?: Cache;
  readonly objects?: ObjectStore;
}

/** A service that is away or refuses. */
export interface Waiting {
  /** Its name in metrics, such as `event-log`. */
  readonly service: string;
  /** `the event log (Kafka at kafka.example:9092)` */
  readonly title: string;
  /** What its adapter says. */
  readonly reason: string;
}

/** Adapters of real services. They connect by themselves, when they are first called. */
export interface Services {
  readonly ports: ServicePorts;
  /** What all stores are called where people read it, with where the services are. */
  readonly titles: StoreTitles;
  /** Where the services are, as `Kafka at kafka.example:9092`. */
  readonly places: Partial<StoreTitles>;
  /** Which of them cannot be used now, as far as it is known. */
  waitsFor(): readonly Waiting[];
  close(): Promise<void>;
}

export interface ServicesOptions {
  /** Who this process is, for the services' own logs. */
  readonly clientName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ServiceMetrics;
}

/** Names of the stores in metrics. */
export const STORE_LABELS: Readonly<Record<StoreName, string>> = {
  log: 'event-log',
  documents: 'document-store',
  cache: 'cache',
  objects: 'object-store',
};

/** A service as it is configured: where it is, and how its adapter is made. */
interface Service<P> {
  readonly at: string;
  readonly open: (observer: ServiceObserver) => Promise<P>;
}

/**
 * Makes the adapters of the services that are configured. None of them is reached for yet. Adapters, and with them the
 * client libraries, are loaded only where they are used. Throws a SetupError when a file with a secret or with
 * certificates cannot be used.
 */
export async function openServices(
  sections: Partial<StoreConfigs>,
  options: ServicesOptions,
): Promise<Services> {
  const { eventLog, documentStore, cache, objectStore } = sections;
  const { clientName } = options;
  const titles = { ...STORE_TITLES };
  const places: Partial<Record<StoreName, string>> = {};
  const monitors: ServiceMonitor[] = [];
  const open = async <P>(store: StoreName, service: Service<P> | undefined): Promise<P | undefined> => {
    if (service === undefined) return undefined;
    places[store] = service.at;
    titles[store] = `${STORE_TITLES[store]} (${service.at})`;
    const monitor = new ServiceMonitor({ ...options, service: STORE_LABELS[store], title: titles[store] });
    monitors.push(monitor);
    return service.open(monitor);
  };
  // All files are read before anything is made that would have to be closed.
  const kafka = eventLog && kafkaService(eventLog, clientName);
  const mongodb = documentStore && mongodbService(documentStore, clientName);
  const redis = cache && redisService(cache);
  const s3 = objectStore && s3Service(objectStore);
  const ports = present({
    log: await open('log', kafka),
    documents: await open('documents', mongodb),
    cache: await open('cache', redis),
    objects: await open('objects', s3),
  });
  return {
    ports,
    titles,
    places,
    waitsFor: () =>
      monitors.flatMap(({ service, title, trouble }) =>
        trouble === undefined ? [] : [{ service, title, reason: trouble }],
      ),
    close: async () => {
      await Promise.all(Object.values(ports).map((port) => port.close()));
    },
  };
}

function kafkaService({ kafka }: StoreConfigs['eventLog'], clientId: string): Service<EventLog> {
  const { brokers, topicPrefix, replicationFactor, minInsyncReplicas, usernameFile, passwordFile } = kafka;
  const field = 'stores.eventLog.kafka';
  const ca = readCertificates({ field: `${field}.caFile`, source: 'spec.kafka.caSecret' }, kafka.caFile);
  const source = 'spec.kafka.authSecret';
  const sasl =
    usernameFile === undefined || passwordFile === undefined
      ? undefined
      : {
          mechanism: kafka.saslMechanism,
          username: readSecret({ field: `${field}.usernameFile`, source }, usernameFile),
          password: readSecret({ field: `${field}.passwordFile`, source }, passwordFile),
        };
  return {
    at: kafkaAt(kafka),
    open: async (observer) => {
      const { KafkaEventLog } = await import('../adapters/kafka/event-log.ts');
      const tls = kafka.tls ? present({ ca }) : undefined;
      const settings = { brokers, topicPrefix, replicationFactor, minInsyncReplicas };
      return new KafkaEventLog({ ...settings, tls, sasl, clientId, observer });
    },
  };
}

function mongodbService({ mongodb }: StoreConfigs['documentStore'], appName: string): Service<DocumentStore> {
  const { database, uriFile, caFile } = mongodb;
  const field = 'stores.documentStore.mongodb';
  const uri = readSecret({ field: `${field}.uriFile`, source: 'spec.mongodb.uriSecret' }, uriFile);
  const ca = readCertificates({ field: `${field}.caFile`, source: 'spec.mongodb.caSecret' }, caFile);
  return {
    at: mongodbAt(uri),
    open: async (observer) => {
      const { MongoDocumentStore } = await import('../adapters/mongodb/document-store.ts');
      return new MongoDocumentStore({ uri, database, appName, observer, ...present({ ca }) });
    },
  };
}

function redisService({ redis }: StoreConfigs['cache']): Service<Cache> {
  const { url, sentinels = [], masterName = '', keyPrefix, tls, usernameFile, passwordFile } = redis;
  const field = 'stores.cache.redis';
  const source = 'spec.redis.secret';
  const ca = readCertificates({ field: `${field}.caFile`, source: 'spec.redis.caSecret' }, redis.caFile);
  const username =
    usernameFile && readOptionalSecret({ field: `${field}.usernameFile`, source }, usernameFile);
  const password = passwordFile && readSecret({ field: `${field}.passwordFile`, source }, passwordFile);
  const server = url === undefined ? { sentinels, masterName, tls } : { url };
  return {
    at: redisAt(redis),
    open: async (observer) => {
      const { RedisCache } = await import('../adapters/redis/cache.ts');
      return new RedisCache({ server, keyPrefix, observer, ...present({ ca, username, password }) });
    },
  };
}

function s3Service({ s3 }: StoreConfigs['objectStore']): Service<ObjectStore> {
  const { endpoint, region, caFile, accessKeyIdFile, secretAccessKeyFile } = s3;
  const field = 'stores.objectStore.s3';
  const source = 'spec.s3.secret';
  const ca = readCertificates({ field: `${field}.caFile`, source: 'spec.s3.caSecret' }, caFile);
  const credentials =
    accessKeyIdFile === undefined || secretAccessKeyFile === undefined
      ? undefined
      : {
          accessKeyId: readSecret({ field: `${field}.accessKeyIdFile`, source }, accessKeyIdFile),
          secretAccessKey: readSecret({ field: `${field}.secretAccessKeyFile`, source }, secretAccessKeyFile),
        };
  return {
    at: s3At(s3),
    open: async (observer) => {
      const { S3ObjectStore } = await import('../adapters/s3/object-store.ts');
      return new S3ObjectStore({ endpoint, region, credentials, observer, ...present({ ca }) });
    },
  };
}

/** The fields that have a value. */
function present<T extends object>(fields: T): { readonly [K in keyof T]?: NonNullable<T[K]> } {
  // Only fields without a value are left out.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]?: NonNullable<T[K]>;
  };
}
