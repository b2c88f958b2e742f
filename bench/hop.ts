import type { Bench, BenchContext, BenchResult } from './bench.ts';
import { compare, runRounds } from './comparison.ts';
import { Contestant } from './rounds.ts';
import { withScope } from './scope.ts';
import { type ForkedServer, forkServer } from './server-process.ts';

const CONNECTIONS = [64, 256];

/** A no-op operation through HTTP, link and worker, beside a no-op route of Fastify. */
export const hop: Bench = {
  name: 'hop',
  description: 'a no-op through HTTP, link and worker, beside a no-op Fastify route (64 and 256 connections)',
  run,
};

interface Servers {
  readonly dispatcher: ForkedServer;
  readonly worker: ForkedServer;
  readonly baseline: ForkedServer;
}

function run(context: BenchContext): Promise<BenchResult> {
  return withScope(async (scope) => {
    const baseline = await scope.own(forkServer('baseline'));
    const dispatcher = await scope.own(forkServer('noop-dispatcher'));
    const [, join = ''] = dispatcher.ready.split(' ');
    const worker = await scope.own(forkServer('noop-worker', [join]));
    const { connections } = context.options;
    const results: BenchResult[] = [];
    for (const count of connections === undefined ? CONNECTIONS : [connections]) {
      results.push(await runWith(context, { baseline, dispatcher, worker }, count));
    }
    return {
      figures: results.flatMap(({ figures }) => figures),
      notes: results.flatMap(({ notes }) => notes),
      failures: results.flatMap(({ failures }) => failures),
    };
  });
}

async function runWith(context: BenchContext, servers: Servers, connections: number): Promise<BenchResult> {
  const { generator, options } = context;
  const { dispatcher, worker, baseline: plain } = servers;
  const contestant = (
    name: string,
    [first, ...others]: readonly [ForkedServer, ...ForkedServer[]],
  ): Contestant => {
    const [http = ''] = first.ready.split(' ');
    const load = { url: `${http}/noop`, connections, seconds: options.seconds };
    return new Contestant({
      name,
      servers: [first, ...others],
      load: (round) => generator.run({ ...load, seed: round }),
    });
  };
  const subject = contestant('hop', [dispatcher, worker]);
  const baseline = contestant('baseline', [plain]);
  await runRounds(context, `hop, ${connections} connections`, [subject, baseline]);
  return compare({ bench: 'hop', connections, generator, subject, baseline });
}
