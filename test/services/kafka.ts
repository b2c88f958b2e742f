import { makeCertificates } from './certificates.ts';
import { DataFolder } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { startBroker } from './kafka-broker.ts';
import { kafkaClasses } from './kafka-classes.ts';
import type { KafkaSasl } from './kafka-settings.ts';
import type { Server } from './server-process.ts';

export interface KafkaServerOptions {
  /** Whom it lets in; everybody when absent. */
  readonly sasl?: KafkaSasl;
  /** Whether clients must come by TLS. */
  readonly tls?: boolean;
  /** Whether clients may do only what ACLs allow: nothing, until some are made by way of `internalAddress`. */
  readonly authorize?: boolean;
  /** The address that it tells its clients, host:port, such as that of a proxy; its own when absent. */
  readonly advertised?: string;
  /** More settings of the broker, such as `{'log.retention.check.interval.ms': '100'}`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** A free one when absent. */
  readonly port?: number;
}

/** A Kafka of one node on loopback. */
export interface KafkaServer extends Server {
  readonly port: number;
  /** As host:port. */
  readonly address: string;
  /** Where everybody may do everything, without login and TLS; as host:port. */
  readonly internalAddress: string;
  /** The authority to trust, in PEM; undefined without TLS. */
  readonly ca: string | undefined;
}

/** Builds what is needed, if it is not there yet. Throws ServiceUnavailable where that cannot be. */
export async function ensureKafka(): Promise<void> {
  await kafkaClasses();
}

/** Starts a Kafka of the caller's own. Throws ServiceUnavailable where it cannot be had. */
export async function startKafka(options: KafkaServerOptions = {}): Promise<KafkaServer> {
  const java = await kafkaClasses();
  const data = await DataFolder.create('kafka');
  try {
    return await start(java, data, options);
  } catch (error) {
    await data.remove();
    throw error;
  }
}

const AUTHORIZE = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  // The broker itself, and whoever comes without login.
  'super.users': 'User:ANONYMOUS',
};

async function start(
  java: readonly string[],
  data: DataFolder,
  options: KafkaServerOptions,
): Promise<KafkaServer> {
  const { authorize = false, port = await freePort(), properties = {}, sasl, tls = false } = options;
  const internalPort = await freePort();
  const address = `127.0.0.1:${port}`;
  const certificates = tls ? await makeCertificates(data.path) : undefined;
  const server = await startBroker(java, {
    folder: data.path,
    port,
    internalPort,
    controllerPort: await freePort(),
    advertised: options.advertised ?? address,
    sasl,
    certificates,
    properties: { ...(authorize ? AUTHORIZE : {}), ...properties },
  });
  return {
    port,
    address,
    internalAddress: `127.0.0.1:${internalPort}`,
    ca: certificates?.ca,
    folder: data.path,
    get pids() {
      return server.pids;
    },
    kill: () => server.kill(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    async stop() {
      await server.kill();
      await data.remove();
    },
  };
}
