import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { contestantMaker, storedSample, TRANSACTION } from './bank-contest.ts';
import type { BenchContext, BenchResult } from './bench.ts';
import { compare, pairFigure, runRounds } from './comparison.ts';
import { type Figure, figure } from './figures.ts';
import { successRate } from './load.ts';
import { BatchCount } from './batch-count.ts';
import { Pipeline } from './pipeline.ts';
import { type BankRoles, startBankRoles } from './bank-roles.ts';
import { Contestant } from './rounds.ts';
import { type Scope, withScope } from './scope.ts';
import { type ForkedServer, forkServer } from './server-process.ts';
import { type BenchServices, startServices } from './services.ts';
import { checkStored, type StoredCheck } from './stored-check.ts';

const CONNECTIONS = [16, 64, 256];
const BENCH = 'bank-services';

interface Servers {
  readonly services: BenchServices;
  readonly roles: BankRoles;
  readonly plain: ForkedServer;
  readonly pipeline: Pipeline;
  readonly check: StoredCheck;
}

/**
 * Durable transactions on real services, dispatcher and worker in processes of their own, beside a no-op route and beside
 * what the stores alone can do: the same batches without HTTP and link.
 */
export function runOnServices(context: BenchContext): Promise<BenchResult> {
  return withScope(async (scope) => {
    const servers = await startServers(context, scope);
    const { connections } = context.options;
    const results: BenchResult[] = [];
    for (const count of connections === undefined ? CONNECTIONS : [connections]) {
      results.push(await runWith(context, servers, count));
    }
    const { figure: stored, failures: wrong } = await storedSample(BENCH, servers.check);
    return {
      figures: [...results.flatMap(({ figures }) => figures), stored],
      notes: results.flatMap(({ notes }) => notes),
      failures: [...results.flatMap(({ failures }) => failures), ...wrong],
    };
  });
}

async function startServers({ progress }: BenchContext, scope: Scope): Promise<Servers> {
  progress('bank: starting Kafka, MongoDB, Redis and S3');
  const services = await startServices(scope);
  const roles = await startBankRoles(scope, services);
  const plain = await scope.own(forkServer('baseline'));
  const configFile = path.join(await scope.temporaryDirectory(), 'pipeline.json');
  await writeFile(configFile, JSON.stringify(roles.workerConfig));
  const pipeline = new Pipeline(await scope.own(forkServer('pipeline', [configFile])));
  return { services, roles, plain, pipeline, check: checkStored(roles.url) };
}

async function runWith(context: BenchContext, servers: Servers, connections: number): Promise<BenchResult> {
  const { roles, services, plain, pipeline, check } = servers;
  const contest = contestantMaker(context, connections);
  const subject = contest('bank', [...roles.processes, ...services.processes], {
    url: `${roles.url}/transaction`,
    body: TRANSACTION,
    check,
  });
  const baseline = contest('POST baseline', [plain], { url: `${plain.ready}/noop`, body: TRANSACTION });
  const alone = new Contestant({
    name: 'pipeline alone',
    servers: [pipeline.server, ...services.processes],
    load: () => pipeline.load({ inFlight: connections, seconds: context.options.seconds }),
  });
  const batches = new BatchCount(roles.workerMetricsUrl);
  const [before, aloneBefore] = [await batches.read(), pipeline.batches];
  await runRounds(context, `bank on services, ${connections} connections`, [subject, baseline, alone]);
  const batch = BatchCount.meanBetween(before, await batches.read());
  const aloneBatch = BatchCount.meanBetween(aloneBefore, pipeline.batches);

  const shared = { bench: BENCH, connections, generator: context.generator, subject };
  const { figures, notes, failures } = compare({ ...shared, baseline });
  const beside = (name: string, unit: string, pick: Parameters<typeof pairFigure>[1]['pick']): Figure =>
    pairFigure({ ...shared, baseline: alone }, { name, unit, pick });
  return {
    figures: [
      ...figures,
      beside('rps-beside-pipeline', 'requests/s', ({ load }) => successRate(load)),
      beside('p50-beside-pipeline', 'ms', ({ load }) => load.p50Ms),
      beside('p99-beside-pipeline', 'ms', ({ load }) => load.p99Ms),
      figure(BENCH, `batch-beside-pipeline@${connections}`, 'operations', {
        value: batch,
        baseline: aloneBatch,
        ratio: batch === undefined || aloneBatch === undefined ? undefined : batch / aloneBatch,
      }),
    ],
    notes,
    failures: [
      ...failures,
      ...(alone.failures > 0 ? [`${BENCH}@${connections}: ${alone.failures} of the pipeline failed`] : []),
    ],
  };
}
