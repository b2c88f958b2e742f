import { type ServiceName, SERVICE_NAMES, testEndpoint } from './endpoints.ts';
import { ensureKafka, startKafka } from './kafka.ts';
import { ensureMongo, startMongo } from './mongodb.ts';
import type { Needed } from './needed.ts';
import { ensureRedis, startRedis } from './redis.ts';
import { ensureS3, startS3 } from './s3.ts';
import type { Server } from './server-process.ts';

const REASON_LENGTH = 300;

/** What tests find in their environment, and the end of what was started for it. */
export interface SharedServices {
  readonly env: Readonly<Record<string, string>>;
  /** What cannot be had, with the whole reason. */
  readonly unavailable: ReadonlyMap<ServiceName, string>;
  stop(): Promise<void>;
}

interface Started {
  readonly server: Server;
  readonly env: Readonly<Record<string, string>>;
}

interface Kind {
  readonly ensure: () => Promise<void>;
  readonly start: () => Promise<Started>;
}

const KINDS: Readonly<Record<ServiceName, Kind>> = {
  kafka: {
    ensure: ensureKafka,
    async start() {
      const server = await startKafka();
      return { server, env: { TEST_KAFKA_BROKERS: server.address } };
    },
  },
  mongodb: {
    ensure: ensureMongo,
    async start() {
      const server = await startMongo();
      return { server, env: { TEST_MONGODB_URI: server.uri } };
    },
  },
  redis: {
    ensure: ensureRedis,
    async start() {
      const server = await startRedis();
      return { server, env: { TEST_REDIS_URL: server.url } };
    },
  },
  s3: {
    ensure: ensureS3,
    async start() {
      const server = await startS3();
      const { endpoint, accessKeyId, secretAccessKey } = server;
      const key = { TEST_S3_ACCESS_KEY_ID: accessKeyId, TEST_S3_SECRET_ACCESS_KEY: secretAccessKey };
      return { server, env: { TEST_S3_ENDPOINT: endpoint, ...key } };
    },
  },
};

/**
 * Starts the services that a run shares, but for those whose endpoints are in the environment already, and builds what
 * suites start themselves. What cannot be had is told by a variable: the suites that need it are skipped.
 */
export async function provideServices(needed: Needed): Promise<SharedServices> {
  const env: Record<string, string> = {};
  const unavailable = new Map<ServiceName, string>();
  const servers: Server[] = [];
  const provide = async (name: ServiceName): Promise<void> => {
    const isGiven = testEndpoint(name).ok;
    try {
      if (needed.own.has(name)) await KINDS[name].ensure();
      if (!needed.shared.has(name) || isGiven) return;
      const started = await KINDS[name].start();
      servers.push(started.server);
      Object.assign(env, started.env);
    } catch (error) {
      unavailable.set(name, error instanceof Error ? error.message : String(error));
    }
  };
  const names = SERVICE_NAMES.filter((name) => needed.own.has(name) || needed.shared.has(name));
  await Promise.all(names.map(provide));
  return {
    env: { ...env, ...tellUnavailable(unavailable) },
    unavailable,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** No services but those whose endpoints are in the environment, and no servers for suites of their own. */
export function withoutServices(): SharedServices {
  const unavailable = new Map(
    SERVICE_NAMES.map((name) => [name, 'these tests are run without services'] as const),
  );
  return { env: tellUnavailable(unavailable), unavailable, stop: () => Promise.resolve() };
}

function tellUnavailable(unavailable: ReadonlyMap<ServiceName, string>): Record<string, string> {
  // It becomes a part of the names of suites: one line, not a whole log.
  const short = (reason: string): string => reason.replaceAll(/\s+/g, ' ').slice(0, REASON_LENGTH);
  const variables = [...unavailable].map(([name, reason]) => [
    `TEST_${name.toUpperCase()}_UNAVAILABLE`,
    short(reason),
  ]);
  return Object.fromEntries(variables) as Record<string, string>;
}
