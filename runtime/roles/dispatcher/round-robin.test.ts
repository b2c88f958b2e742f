import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RoundRobin } from './round-robin.ts';

/** Candidates by name, each with whether it is usable. */
const candidates = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.boolean()), {
  maxLength: 12,
  selector: ([name]) => name,
});

type Candidates = readonly (readonly [name: number, usable: boolean])[];

function take(turns: RoundRobin<number>, among: Candidates): number | undefined {
  const usable = new Map(among);
  return turns.next(
    among.map(([name]) => name),
    (name) => usable.get(name) === true,
  );
}

function usableOf(among: Candidates): readonly number[] {
  return among.filter(([, usable]) => usable).map(([name]) => name);
}

/** That in so many rounds each usable candidate had its turn once a round, and no other one had any. */
function expectFair(turns: RoundRobin<number>, among: Candidates, rounds: number): void {
  const usable = usableOf(among);
  const counts = new Map(usable.map((name) => [name, 0]));
  for (let n = 0; n < rounds * usable.length; n += 1) {
    const chosen = take(turns, among) ?? Number.NaN;
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
  }
  expect([...counts]).toEqual(usable.map((name) => [name, rounds]));
}

describe('taking turns', () => {
  test('goes around', () => {
    const turns = new RoundRobin<string>();
    const chosen = Array.from({ length: 5 }, () => turns.next(['a', 'b', 'c'], () => true));
    expect(chosen).toEqual(['a', 'b', 'c', 'a', 'b']);
  });

  test('gives each usable candidate the same share, and none to the others', () => {
    fc.assert(
      fc.property(candidates, fc.integer({ min: 1, max: 5 }), (among, rounds) =>
        expectFair(new RoundRobin(), among, rounds),
      ),
    );
  });

  test('finds a usable candidate whenever there is one, however they come and go', () => {
    fc.assert(
      fc.property(fc.array(candidates, { maxLength: 40 }), (changes) => {
        const turns = new RoundRobin<number>();
        for (const among of changes) {
          const usable = usableOf(among);
          const chosen = take(turns, among);
          if (chosen === undefined) expect(usable).toEqual([]);
          else expect(usable).toContain(chosen);
        }
      }),
    );
  });

  test('is fair again as soon as the candidates stay', () => {
    fc.assert(
      fc.property(fc.array(candidates, { maxLength: 10 }), candidates, (changes, stable) => {
        const turns = new RoundRobin<number>();
        for (const among of changes) take(turns, among);
        expectFair(turns, stable, 2);
      }),
    );
  });
});
