import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { credentials, ServerCredentials } from '@grpc/grpc-js';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { EmbeddedDatabase } from '../../runtime/adapters/embedded/database.ts';
import { EmbeddedDocumentStore } from '../../runtime/adapters/embedded/document-store.ts';
import { EmbeddedEventLog } from '../../runtime/adapters/embedded/event-log.ts';
import { EmbeddedEventStore } from '../../runtime/adapters/embedded/event-store.ts';
import { StaticDispatcherDirectory } from '../../runtime/adapters/static/membership.ts';
import { systemClock } from '../../runtime/clock.ts';
import { DEFAULT_LIMITS } from '../../runtime/link/protocol.ts';
import { createLogger } from '../../runtime/logging.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { Worker } from '../../runtime/roles/worker/worker.ts';
import { noopDomain } from './noop-domain.ts';
import { report } from './report.ts';

const [, , join = ''] = process.argv;
const directory = await mkdtemp(path.join(tmpdir(), 'bench-'));
const database = await EmbeddedDatabase.open(directory);
// Only synchronous work is done in an exit handler.
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const worker = new Worker({
  uid: 'bench',
  domains: [noopDomain],
  ports: {
    events: new EmbeddedEventStore(database),
    documents: new EmbeddedDocumentStore(database),
    log: new EmbeddedEventLog(database, {}),
    cache: new EmbeddedCache(new CacheData()),
  },
  directory: new StaticDispatcherDirectory('bench', [join]),
  host: '127.0.0.1',
  port: 0,
  serverCredentials: ServerCredentials.createInsecure(),
  channelCredentials: credentials.createInsecure(),
  limits: DEFAULT_LIMITS,
  clock: systemClock,
  logger: createLogger('json', 'warn'),
  metrics: createMetrics(),
});
await worker.start();
await worker.ready();
report('joined');
