import { beforeEach, describe, expect, test } from '@jest/globals';
import { Random } from '../crash/random.ts';
import type { Fault } from './fault.ts';
import { type Condition, NotRecovered, untilWell } from './recovery.ts';
import { type Injection, runFaults, type RunnerParts } from './runner.ts';

/** Everything that happened, in order. */
let story: string[];
let now: number;
let isWell: () => boolean;
let goesOn: () => boolean;

beforeEach(() => {
  story = [];
  now = 0;
  isWell = () => true;
  goesOn = () => true;
});

function fault(name: string, holdMs: readonly [number, number] = [100, 100]): Fault<string> {
  return {
    name,
    what: name,
    holdMs,
    inject: (topology) => {
      story.push(`${name} breaks ${topology}`);
      return Promise.resolve(() => {
        story.push(`${name} ends at ${now}`);
        return Promise.resolve();
      });
    },
  };
}

function run(parts: Partial<RunnerParts<string>>): Promise<readonly Injection[]> {
  return runFaults({
    topology: 'it',
    faults: [fault('a')],
    rounds: 1,
    random: new Random(1),
    clock: { now: () => now, sleep: (ms) => Promise.resolve((now += ms)) },
    untilWell: () => {
      now += 7;
      return isWell() ? Promise.resolve('all') : Promise.reject(new NotRecovered('the archive', 30));
    },
    check: () => Promise.resolve(goesOn()),
    onNotRecovered: (after, { message }) => story.push(`not well after ${after}: ${message}`),
    onInjection: ({ fault: name }) => story.push(`${name} is over`),
    ...parts,
  });
}

test('a fault begins on a platform that is well, lasts as drawn, and is recovered from in measured time', async () => {
  const [injection] = await run({ faults: [fault('a', [50, 150])] });
  const { heldMs = 0 } = injection ?? {};
  expect(injection).toEqual({ fault: 'a', heldMs, recoveryMs: 7, lacked: 'all' });
  expect(heldMs).toBeGreaterThanOrEqual(50);
  expect(heldMs).toBeLessThanOrEqual(150);
  expect(story).toEqual(['a breaks it', `a ends at ${7 + heldMs}`, 'a is over']);
});

test('each fault comes once in every round, and the seed decides when', async () => {
  const faults = ['a', 'b', 'c', 'd'].map((name) => fault(name));
  const orders = await Promise.all(
    [1, 1, 2].map(async (seed) => {
      const all = await run({ faults, rounds: 2, random: new Random(seed) });
      return all.map(({ fault: name }) => name);
    }),
  );
  for (const order of orders) {
    expect(order.slice(0, 4).toSorted()).toEqual(['a', 'b', 'c', 'd']);
    expect(order.slice(4).toSorted()).toEqual(['a', 'b', 'c', 'd']);
  }
  expect(orders[0]).toEqual(orders[1]);
  expect(orders[0]).not.toEqual(orders[2]);
});

test('a platform that is never well is not broken further', async () => {
  isWell = () => false;
  expect(await run({})).toEqual([]);
  expect(story).toEqual(['not well after the start: not after 30 ms: the archive']);
});

test('a fault that is not recovered from ends the run', async () => {
  isWell = () => story.length === 0;
  expect(await run({ rounds: 5 })).toEqual([
    { fault: 'a', heldMs: 100, recoveryMs: undefined, lacked: 'the archive' },
  ]);
  expect(story.at(-2)).toBe('not well after a: not after 30 ms: the archive');
});

test('a check that finds something ends the run', async () => {
  goesOn = () => false;
  expect(await run({ rounds: 5 })).toEqual([{ fault: 'a', heldMs: 100, recoveryMs: 7, lacked: 'all' }]);
});

describe('a platform is well', () => {
  function condition(name: string, holdsAtTry: number): Condition {
    return () => {
      let tries = 0;
      story.push(`looks at ${name}`);
      return () => Promise.resolve((tries += 1) >= holdsAtTry ? undefined : `${name} is missing`);
    };
  }

  test('when its conditions have held one after the other', async () => {
    const lacked = await untilWell([condition('one', 3), condition('two', 1)], { deadlineMs: 5_000 });
    expect(lacked).toBe('one is missing');
    expect(story).toEqual(['looks at one', 'looks at two']);
  });

  test('not when one of them does not hold in time, which is said', async () => {
    const never = untilWell([condition('one', 1), condition('two', Infinity)], { deadlineMs: 0 });
    await expect(never).rejects.toThrow(/^not after \d+ ms: two is missing$/);
  });

  test('never, when it is known that there is no hope', async () => {
    const never = untilWell([condition('one', Infinity)], { deadlineMs: 60_000, isHopeless: () => true });
    await expect(never).rejects.toThrow('one is missing');
  });
});
