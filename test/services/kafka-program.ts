import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureBuilt } from './built.ts';
import { requireTools, run, ServiceUnavailable } from './tools.ts';

const VERSION = '4.3.1';
const LOG4J_VERSION = '2.25.2';
const JAVA_MIN = 17;

/** A list of dependencies and nothing else: Maven fetches them, and theirs. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>mini-platform.test</groupId>
  <artifactId>kafka</artifactId>
  <version>${VERSION}</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>${LOG4J_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/** Kafka's jars, and what runs them. */
export interface KafkaJars {
  /** The version of Java. */
  readonly java: string;
  readonly version: string;
  readonly classPath: string;
}

/** Fetches them once. Throws ServiceUnavailable where they cannot be had. */
export async function kafkaJars(): Promise<KafkaJars> {
  const folder = await ensureBuilt({
    folder: `kafka-${VERSION}`,
    what: `Kafka ${VERSION}, from Maven's repository (1 minute)`,
    build,
  });
  return { java: await javaVersion(), version: VERSION, classPath: path.join(folder, 'lib', '*') };
}

async function build(folder: string): Promise<void> {
  requireTools(['mvn'], 'install Maven, such as the package maven');
  await javaVersion();
  await writeFile(path.join(folder, 'pom.xml'), POM);
  const goal = ['dependency:copy-dependencies', '-DoutputDirectory=lib'];
  await run('mvn', ['--quiet', '--batch-mode', ...goal], { cwd: folder });
}

async function javaVersion(): Promise<string> {
  const remedy = `install Java ${JAVA_MIN} or later, such as the package openjdk-17-jre-headless`;
  requireTools(['java'], remedy);
  const text = await run('java', ['--version']);
  const [version = '', major] = /(\d+)[\d.]*/.exec(text) ?? [];
  if (Number(major) < JAVA_MIN) throw new ServiceUnavailable(`Java ${version} is too old: ${remedy}`);
  return version;
}
