import type { BenchContext } from './bench.ts';
import { figure, type Figure } from './figures.ts';
import type { RandomBody } from './load.ts';
import { Contestant } from './rounds.ts';
import type { ServerProcess } from './server-process.ts';
import { differenceOf, type StoredCheck } from './stored-check.ts';

const CLIENT = { kind: 'name', prefix: 'c', count: 10_000 } as const;

/** What the load posts: transactions between many clients, each with an id that the platform gives it. */
export const TRANSACTION: RandomBody = {
  sender: CLIENT,
  receiver: CLIENT,
  amount: { kind: 'integer', min: 1, max: 1_000_000 },
};

export interface Target {
  readonly url: string;
  readonly body?: RandomBody;
  /** Writes beside the load. */
  readonly check?: StoredCheck;
}

/** Makes contestants that are loaded over HTTP, by so many connections. */
export function contestantMaker(
  { generator, options: { seconds } }: BenchContext,
  connections: number,
): (name: string, servers: readonly ServerProcess[], target: Target) => Contestant {
  return (name, servers, { url, body, check }) =>
    new Contestant({
      name,
      servers,
      load: (round) => {
        const work = generator.run({ url, body, connections, seconds, seed: round });
        return check === undefined ? work : check.beside(work);
      },
    });
}

/** Compares what was answered 201 with what is stored. */
export async function storedSample(
  bench: string,
  check: StoredCheck,
): Promise<{ readonly figure: Figure; readonly failures: readonly string[] }> {
  const [answered, stored] = [check.answered(), await check.stored()];
  return {
    figure: figure(bench, 'stored', 'transactions', {
      value: stored.length,
      baseline: answered.length,
      ratio: stored.length / answered.length,
    }),
    failures: differenceOf(answered, stored).map((fault) => `${bench}: ${fault}`),
  };
}
