import { KafkaEventLog } from '../../runtime/adapters/kafka/event-log.ts';
import { MongoDocumentStore } from '../../runtime/adapters/mongodb/document-store.ts';
import { S3ObjectStore } from '../../runtime/adapters/s3/object-store.ts';
import type { DocumentStore } from '../../runtime/ports/document-store.ts';
import type { EventLog } from '../../runtime/ports/event-log.ts';
import type { ObjectStore } from '../../runtime/ports/object-store.ts';
import type { ServiceObserver } from '../../runtime/ports/service-observer.ts';
import type { FaultyServices } from './services.ts';

const NAME = 'fault-suite';

const nobody: ServiceObserver = { up: () => {}, down: () => {}, reconnected: () => {}, sent: () => {} };

/** The stores of a platform as the suite reads them, past the proxies where a service allows that. */
export class OwnStores {
  readonly log: EventLog;
  readonly documents: DocumentStore;
  readonly objects: ObjectStore;

  constructor({ kafka, mongodb, s3 }: Pick<FaultyServices, 'kafka' | 'mongodb' | 's3'>, platform: string) {
    this.log = new KafkaEventLog({
      // A Kafka sends its clients to the address that it advertises.
      brokers: [kafka.proxy.address],
      topicPrefix: `${platform}.`,
      replicationFactor: 1,
      minInsyncReplicas: 1,
      tls: undefined,
      sasl: undefined,
      clientId: NAME,
      observer: nobody,
    });
    this.documents = new MongoDocumentStore({
      uri: mongodb.server.uri,
      database: platform,
      appName: NAME,
      observer: nobody,
    });
    const { endpoint, accessKeyId, secretAccessKey } = s3.server;
    this.objects = new S3ObjectStore({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
      observer: nobody,
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.log.close(), this.documents.close(), this.objects.close()]);
  }
}
