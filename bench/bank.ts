import type { Bench, BenchContext, BenchResult } from './bench.ts';
import { contestantMaker, storedSample, TRANSACTION } from './bank-contest.ts';
import { runOnServices } from './bank-services.ts';
import { compare, pairFigure, runRounds } from './comparison.ts';
import { figure } from './figures.ts';
import { measureFsyncRate } from './fsync-rate.ts';
import { successRate } from './load.ts';
import { startPlatform } from './platform-process.ts';
import { withScope } from './scope.ts';
import { forkServer } from './server-process.ts';
import { checkStored } from './stored-check.ts';

const CONNECTIONS = 64;

/** Durable transactions on embedded stores, beside no-op routes of Fastify. */
export const bank: Bench = {
  name: 'bank',
  services: 'optional',
  description:
    'durable transactions on embedded stores, beside a no-op Fastify route (64 connections); --services',
  run: (context) => (context.options.services ? runOnServices(context) : run(context)),
};

function run(context: BenchContext): Promise<BenchResult> {
  return withScope(async (scope) => {
    const { generator, options, progress } = context;
    const connections = options.connections ?? CONNECTIONS;
    const stateDir = await scope.temporaryDirectory();
    const fsyncRate = measureFsyncRate(stateDir);
    progress(`bank: state in ${stateDir}, ${fsyncRate.toFixed(0)} fsyncs/s`);
    const plain = await scope.own(forkServer('baseline'));
    const platform = await scope.own(startPlatform({ stateDir }));
    const check = checkStored(platform.url);

    const contest = contestantMaker(context, connections);
    const subject = contest('bank', [platform], {
      url: `${platform.url}/transaction`,
      body: TRANSACTION,
      check,
    });
    const post = contest('POST baseline', [plain], { url: `${plain.ready}/noop`, body: TRANSACTION });
    const get = contest('GET baseline', [plain], { url: `${plain.ready}/noop` });
    await runRounds(context, `bank, ${connections} connections`, [subject, post, get]);

    const shared = { bench: 'bank', connections, generator, subject };
    const { figures, notes, failures } = compare({ ...shared, baseline: post });
    const besideGet = pairFigure(
      { ...shared, baseline: get },
      { name: 'rps-beside-get', unit: 'requests/s', pick: ({ load }) => successRate(load) },
    );
    const { figure: storedFigure, failures: wrong } = await storedSample('bank', check);
    return {
      figures: [
        ...figures,
        besideGet,
        figure('bank', 'fsync', 'fsyncs/s', { value: fsyncRate }),
        storedFigure,
      ],
      notes,
      failures: [
        ...failures,
        ...(get.failures > 0 ? [`bank@${connections}: ${get.failures} requests to ${get.name} failed`] : []),
        ...wrong,
      ],
    };
  });
}
