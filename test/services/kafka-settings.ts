import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Certificates } from './certificates.ts';

export interface KafkaSasl {
  readonly mechanism: 'SCRAM-SHA-512' | 'SCRAM-SHA-256' | 'PLAIN';
  readonly username: string;
  readonly password: string;
}

export interface KafkaSettings {
  readonly folder: string;
  readonly port: number;
  readonly internalPort: number;
  readonly controllerPort: number;
  /** What clients are told, as host:port. */
  readonly advertised: string;
  readonly sasl: KafkaSasl | undefined;
  readonly certificates: Certificates | undefined;
  readonly properties: Readonly<Record<string, string>>;
}

/** Warnings, and the line by which it says that it has started. */
const LOGGING = `
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
`;

/** Writes the configuration of logging; resolves to its file. */
export async function writeLogging(folder: string): Promise<string> {
  const file = path.join(folder, 'log4j2.properties');
  await writeFile(file, LOGGING);
  return file;
}

/** Writes the configuration of a broker that is its own controller; resolves to its file. */
export async function writeSettings(settings: KafkaSettings): Promise<string> {
  const { advertised, folder, port, internalPort, controllerPort } = settings;
  const protocol = `${settings.sasl === undefined ? '' : 'SASL_'}${settings.certificates === undefined ? 'PLAINTEXT' : 'SSL'}`;
  const all: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    // Clients may have to log in; the broker, and tests that administer it, need not.
    listeners: `CLIENT://127.0.0.1:${port},INTERNAL://127.0.0.1:${internalPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `CLIENT://${advertised},INTERNAL://127.0.0.1:${internalPort}`,
    'listener.security.protocol.map': `CLIENT:${protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name': 'INTERNAL',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': path.join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // A broker that was killed is let in again when its last session has ended.
    'broker.heartbeat.interval.ms': '500',
    'broker.session.timeout.ms': '2000',
    ...saslProperties(settings.sasl),
    ...(await tlsProperties(settings)),
    ...settings.properties,
  };
  const file = path.join(folder, 'server.properties');
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`);
  await writeFile(file, lines.join(''));
  return file;
}

function saslProperties(sasl: KafkaSasl | undefined): Record<string, string> {
  if (sasl === undefined) return {};
  const { mechanism, username, password } = sasl;
  const modules = 'org.apache.kafka.common.security';
  const login =
    mechanism === 'PLAIN'
      ? `${modules}.plain.PlainLoginModule required user_${username}=${JSON.stringify(password)};`
      : `${modules}.scram.ScramLoginModule required;`;
  return {
    'listener.name.client.sasl.enabled.mechanisms': mechanism,
    [`listener.name.client.${mechanism.toLowerCase()}.sasl.jaas.config`]: login,
  };
}

async function tlsProperties({ certificates, folder }: KafkaSettings): Promise<Record<string, string>> {
  if (certificates === undefined) return {};
  const keystore = path.join(folder, 'keystore.pem');
  const parts = [certificates.keyFile, certificates.certFile].map((file) => readFile(file, 'utf8'));
  await writeFile(keystore, (await Promise.all(parts)).join(''));
  return {
    'listener.name.client.ssl.keystore.type': 'PEM',
    'listener.name.client.ssl.keystore.location': keystore,
  };
}
