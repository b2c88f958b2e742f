import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { EmbeddedDatabase } from '../../runtime/adapters/embedded/database.ts';
import { EmbeddedDocumentStore } from '../../runtime/adapters/embedded/document-store.ts';
import { EmbeddedEventLog } from '../../runtime/adapters/embedded/event-log.ts';
import { EmbeddedEventStore } from '../../runtime/adapters/embedded/event-store.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Dispatch, Domain, DomainPorts } from '../../runtime/domain-kit/domain.ts';
import { failed } from '../../runtime/domain-kit/outcome.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createHttpServer } from '../../runtime/roles/dispatcher/http-server.ts';

/** A domain behind HTTP on embedded stores, without link and roles: what its own logic does. */
export interface LocalDomain {
  readonly http: FastifyInstance;
  readonly ports: DomainPorts;
  readonly cacheData: CacheData;
  /** Closes all, and opens it again on the same data; the cache, being in memory, has lost what it held. */
  restart(): Promise<LocalDomain>;
  close(): Promise<void>;
}

/** Opens a domain on fresh stores; `ports` may be wrapped to make them fail. */
export async function openLocalDomain(
  domain: Domain,
  wrap: (ports: DomainPorts) => DomainPorts = (ports) => ports,
): Promise<LocalDomain> {
  return openIn(await mkdtemp(path.join(tmpdir(), 'mini-platform-domain-')), domain, wrap);
}

async function openIn(
  directory: string,
  domain: Domain,
  wrap: (ports: DomainPorts) => DomainPorts,
): Promise<LocalDomain> {
  const database = await EmbeddedDatabase.open(directory);
  const cacheData = new CacheData();
  const documents = new EmbeddedDocumentStore(database);
  const log = new EmbeddedEventLog(database, {});
  const logger = pino({ level: 'silent' });
  const ports = wrap({
    events: new EmbeddedEventStore(database),
    documents,
    log,
    cache: new EmbeddedCache(cacheData),
    clock: systemClock,
    bootId: 'test',
    logger,
  });
  await documents.ensureCollections(domain.collections);
  await log.ensureTopics(domain.topics);
  const { http } = await createHttpServer({
    domains: [domain],
    dispatch: directDispatch(domain, ports),
    roles: () => [],
    version: 'test',
    maxInFlight: 1_000,
    // Other suites make the machine busy; what is tried here is what the domain answers.
    maxLoopDelayMs: 60_000,
    logger,
    metrics: createMetrics(),
  });
  const shut = async (): Promise<void> => {
    await http.close();
    await log.close();
    await documents.close();
    await database.close();
  };
  return {
    http,
    ports,
    cacheData,
    async restart() {
      await shut();
      return openIn(directory, domain, wrap);
    },
    async close() {
      await shut();
      await rm(directory, { recursive: true });
    },
  };
}

/** Calls the handlers in place, a batch of one at a time. */
function directDispatch(domain: Domain, ports: DomainPorts): Dispatch {
  const served = new Map(domain.serve(ports).map((each) => [each.operation.name, each]));
  return {
    async ask(operation, message, eventId = '') {
      const request = operation.request.encode(message).finish();
      const bodyHash = createHash('sha256')
        .update(operation.name)
        .update('\0')
        .update(request)
        .digest('base64url');
      const [outcome] = (await served.get(operation.name)?.handle([{ request, eventId, bodyHash }])) ?? [];
      if (outcome === undefined) return failed('UNKNOWN_OPERATION', operation.name, false);
      if (!('response' in outcome)) return outcome;
      return { verdict: outcome.verdict, response: operation.response.decode(outcome.response) };
    },
  };
}
