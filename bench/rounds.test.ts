import { describe, expect, test } from '@jest/globals';
import type { LoadResult } from './load.ts';
import { alternate, Contestant, median, medianRatio, totalCpuMicros } from './rounds.ts';
import type { ServerProcess } from './server-process.ts';

const LOAD: LoadResult = {
  requests: 1000,
  seconds: 1,
  p50Ms: 1,
  p99Ms: 2,
  errors: 0,
  non2xx: 0,
  generatorCpuSeconds: 0.1,
};

/** A server that uses the given CPU time between two readings. */
function fakeServer(name: string, secondsPerRound: number | undefined): ServerProcess {
  let used = 0;
  return {
    name,
    cpuSeconds: () => {
      if (secondsPerRound === undefined) return Promise.resolve(undefined);
      used += secondsPerRound;
      return Promise.resolve(used);
    },
    stop: () => Promise.resolve(),
  };
}

describe('median', () => {
  test.each([
    { name: 'an odd count', values: [9, 1, 10], expected: 9 },
    { name: 'an even count', values: [4, 1, 2, 10], expected: 3 },
    { name: 'one value', values: [7], expected: 7 },
    { name: 'no value', values: [], expected: undefined },
    { name: 'an unknown value', values: [1, undefined, 3], expected: undefined },
  ])('of $name', ({ values, expected }) => {
    expect(median(values)).toBe(expected);
  });

  test('of ratios is taken pair by pair', () => {
    // The machine slowed down for both in the last round: the ratio of the medians would be 0.6.
    expect(medianRatio([50, 60, 10], [100, 100, 20])).toBe(0.5);
  });

  test('of ratios to nothing is unknown', () => {
    expect(medianRatio([1], [0])).toBeUndefined();
    expect(medianRatio([1, 2], [1])).toBeUndefined();
  });
});

describe('rounds', () => {
  test('alternate, and the first of each is not counted', async () => {
    const order: string[] = [];
    const contestant = (name: string): Contestant =>
      new Contestant({
        name,
        servers: [],
        load: (round) => {
          order.push(`${name}${round}`);
          return Promise.resolve({ ...LOAD, requests: round });
        },
      });
    const [a, b] = [contestant('a'), contestant('b')];
    await alternate([a, b], 2, () => {});
    expect(order).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
    expect(a.measured.map(({ load }) => load.requests)).toEqual([1, 2]);
  });

  test('tell the CPU time of each server per request, and of all', async () => {
    const servers = [fakeServer('dispatcher', 0.03), fakeServer('worker', 0.01)];
    const round = await new Contestant({ name: 'a', servers, load: () => Promise.resolve(LOAD) }).run(0);
    expect(round.cpuMicros.get('dispatcher')).toBeCloseTo(30);
    expect(round.cpuMicros.get('worker')).toBeCloseTo(10);
    expect(totalCpuMicros(round)).toBeCloseTo(40);
  });

  test('do not take unknown CPU time for none', async () => {
    const servers = [fakeServer('dispatcher', 0.03), fakeServer('worker', undefined)];
    const round = await new Contestant({ name: 'a', servers, load: () => Promise.resolve(LOAD) }).run(0);
    expect(totalCpuMicros(round)).toBeUndefined();
    expect(round.otherCores).toBeUndefined();
  });

  test('count failures also while they warm up', async () => {
    const load = (): Promise<LoadResult> => Promise.resolve({ ...LOAD, errors: 1, non2xx: 2 });
    const contestant = new Contestant({ name: 'a', servers: [], load });
    await alternate([contestant], 1, () => {});
    expect(contestant.failures).toBe(6);
  });
});
