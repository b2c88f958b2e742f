import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { type KafkaSasl, type KafkaSettings, writeLogging, writeSettings } from './kafka-settings.ts';
import { ServerProcess } from './server-process.ts';
import { run } from './tools.ts';

/** Makes the broker's storage and starts it. `java` are the arguments by which Java finds Kafka. */
export async function startBroker(java: readonly string[], settings: KafkaSettings): Promise<ServerProcess> {
  const { folder, port, sasl } = settings;
  const file = await writeSettings(settings);
  const args = [...java, `-Dlog4j2.configurationFile=${await writeLogging(folder)}`];
  await run('java', [...args, 'kafka.tools.StorageTool', 'format', ...formatting(sasl), '-c', file]);
  return ServerProcess.start({
    name: `Kafka on port ${port}`,
    command: ['java', '-Xms256m', '-Xmx768m', ...args, 'kafka.Kafka', file],
    cwd: folder,
    logFile: path.join(folder, 'kafka.log'),
    serves: (log) => log.includes('Kafka Server started'),
  });
}

function formatting(sasl: KafkaSasl | undefined): readonly string[] {
  // One argument: an id that begins with '-' would be taken for an option.
  const cluster = ['--standalone', `--cluster-id=${randomBytes(16).toString('base64url')}`];
  if (sasl === undefined || sasl.mechanism === 'PLAIN') return cluster;
  return [...cluster, '--add-scram', `${sasl.mechanism}=[name=${sasl.username},password=${sasl.password}]`];
}
