import path from 'node:path';
import { ensureBuilt } from './built.ts';
import { freePort } from './free-port.ts';
import { startBroker } from './kafka-broker.ts';
import { kafkaJars } from './kafka-program.ts';

/**
 * The arguments by which Java finds Kafka, with an archive of the classes that a broker loads: it halves what a start
 * costs. It is made once by running a broker, and holds for one version of Java and the jars where they lie; Java
 * does without where it does not fit.
 */
export async function kafkaClasses(): Promise<readonly string[]> {
  const { classPath, java, version } = await kafkaJars();
  const folder = await ensureBuilt({
    folder: `kafka-${version}-classes-java-${java}`,
    what: `an archive of Kafka's classes (10 s)`,
    async build(into) {
      const broker = await startBroker([`-XX:ArchiveClassesAtExit=${archive(into)}`, '-cp', classPath], {
        folder: into,
        port: await freePort(),
        internalPort: await freePort(),
        controllerPort: await freePort(),
        advertised: '127.0.0.1:9092',
        sasl: undefined,
        certificates: undefined,
        properties: {},
      });
      await broker.terminate();
    },
  });
  return [`-XX:SharedArchiveFile=${archive(folder)}`, '-Xshare:auto', '-cp', classPath];
}

function archive(folder: string): string {
  return path.join(folder, 'kafka.jsa');
}
