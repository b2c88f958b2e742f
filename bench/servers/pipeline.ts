import { readFileSync } from 'node:fs';
import { systemClock } from '../../runtime/clock.ts';
import { openServices } from '../../runtime/compose/services.ts';
import { composedEvents, guardStores } from '../../runtime/compose/store-ports.ts';
import { loadConfig } from '../../runtime/config/role-config.ts';
import { ROLE_CONFIGS } from '../../runtime/config/roles.ts';
import { bank } from '../../runtime/domains/bank/index.ts';
import { createLogger } from '../../runtime/logging.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { OperationQueue } from '../../runtime/roles/worker/operation-queue.ts';
import { type LoopResult, runClosedLoop } from './closed-loop.ts';
import type { CpuReport, ServerReport } from './report.ts';

/** What the parent asks for: CPU time used so far, or a closed loop. */
export type PipelineRequest = 'cpu' | { readonly inFlight: number; readonly seconds: number };

/** Operations worked on so far, and the batches that they went in. */
export interface PipelineReport extends LoopResult {
  readonly operations: number;
  readonly batches: number;
}

const OPERATION = 'bank.transaction';
const [, , configFile = ''] = process.argv;

const loaded = loadConfig(ROLE_CONFIGS.worker, readFileSync(configFile, 'utf8'), configFile);
if (!loaded.ok) throw new Error(loaded.faults.map(({ message }) => message).join('\n'));
const { limits, stores } = loaded.config;
const [logger, metrics] = [createLogger('json', 'warn'), createMetrics()];
const options = { clock: systemClock, logger, metrics };
const { ports } = await openServices(stores, { ...options, clientName: 'bench-pipeline' });
const { log, documents, cache } = guardStores(ports, options);
if (log === undefined || documents === undefined || cache === undefined) {
  throw new Error(`${configFile} names too few services`);
}
await documents.ensureCollections(bank.collections);
await log.ensureTopics(bank.topics);
await cache.check();

const { events } = guardStores({ events: composedEvents({ log, documents }, options) }, options);
const bootId = 'bench-pipeline';
const served = bank
  .serve({ events, documents, log, cache, clock: systemClock, bootId, logger })
  .find(({ operation }) => operation.name === OPERATION);
if (served === undefined) throw new Error(`the bank does not serve ${OPERATION}`);
let [operations, batches] = [0, 0];
const queue = new OperationQueue({
  served: {
    ...served,
    handle: (calls) => {
      operations += calls.length;
      batches += 1;
      return served.handle(calls);
    },
  },
  clock: systemClock,
  logger,
  metrics,
  maxWaiting: limits.window * 2,
  maxBatchBytes: limits.batchBytes,
});

process.on('message', (request: PipelineRequest) => void answer(request));
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: 'pipeline' } satisfies ServerReport);

async function answer(request: PipelineRequest): Promise<void> {
  if (request === 'cpu') {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicros: user + system } satisfies CpuReport);
    return;
  }
  const loop = await runClosedLoop({ ...request, submit: (each) => queue.submit(each), clock: systemClock });
  process.send?.({ ...loop, operations, batches } satisfies PipelineReport);
}
