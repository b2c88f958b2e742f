import type { Bench, BenchContext, BenchResult } from './bench.ts';
import { compare, pairFigure, runRounds } from './comparison.ts';
import { figure, type Figure } from './figures.ts';
import { measureFsyncRate } from './fsync-rate.ts';
import { type RandomBody, successRate } from './load.ts';
import { startPlatform } from './platform-process.ts';
import { Contestant } from './rounds.ts';
import { withScope } from './scope.ts';
import { forkServer, type ServerProcess } from './server-process.ts';
import { checkStored, differenceOf, type StoredCheck } from './stored-check.ts';

const CONNECTIONS = 64;
const CLIENT = { kind: 'name', prefix: 'c', count: 10_000 } as const;
const TRANSACTION: RandomBody = {
  sender: CLIENT,
  receiver: CLIENT,
  amount: { kind: 'integer', min: 1, max: 1_000_000 },
};

/** Durable transactions on embedded stores, beside no-op routes of Fastify. */
export const bank: Bench = {
  name: 'bank',
  description: 'durable transactions on embedded stores, beside a no-op Fastify route (64 connections)',
  run,
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
    const subject = contest('bank', platform, {
      url: `${platform.url}/transaction`,
      body: TRANSACTION,
      check,
    });
    const post = contest('POST baseline', plain, { url: `${plain.ready}/noop`, body: TRANSACTION });
    const get = contest('GET baseline', plain, { url: `${plain.ready}/noop` });
    await runRounds(context, `bank, ${connections} connections`, [subject, post, get]);

    const shared = { bench: 'bank', connections, generator, subject };
    const { figures, notes, failures } = compare({ ...shared, baseline: post });
    const besideGet = pairFigure(
      { ...shared, baseline: get },
      { name: 'rps-beside-get', unit: 'requests/s', pick: ({ load }) => successRate(load) },
    );
    const { figure: storedFigure, failures: wrong } = await storedSample(check);
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

interface Target {
  readonly url: string;
  readonly body?: RandomBody;
  /** Writes beside the load. */
  readonly check?: StoredCheck;
}

function contestantMaker(
  { generator, options: { seconds } }: BenchContext,
  connections: number,
): (name: string, server: ServerProcess, target: Target) => Contestant {
  return (name, server, { url, body, check }) =>
    new Contestant({
      name,
      servers: [server],
      load: (round) => {
        const work = generator.run({ url, body, connections, seconds, seed: round });
        return check === undefined ? work : check.beside(work);
      },
    });
}

async function storedSample(
  check: StoredCheck,
): Promise<{ readonly figure: Figure; readonly failures: readonly string[] }> {
  const [answered, stored] = [check.answered(), await check.stored()];
  return {
    figure: figure('bank', 'stored', 'transactions', {
      value: stored.length,
      baseline: answered.length,
      ratio: stored.length / answered.length,
    }),
    failures: differenceOf(answered, stored).map((fault) => `bank: ${fault}`),
  };
}
