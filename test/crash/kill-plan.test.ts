import { expect, test } from '@jest/globals';
import { CRASH_POINTS } from './crash-points.ts';
import { KILLS_FOR_ALL_POINTS, type Life, planLives } from './kill-plan.ts';
import { Random } from './random.ts';

function lives(seed: number, count: number): readonly Life[] {
  const plan = planLives(new Random(seed));
  return Array.from({ length: count }, () => plan.next().value);
}

function pointsIn(all: readonly Life[]): ReadonlySet<string> {
  return new Set(
    all.flatMap(({ kill }) => (kill.kind === 'point' ? [`${kill.order.call}, ${kill.order.moment}`] : [])),
  );
}

const ALL_POINTS = new Set(
  CRASH_POINTS.flatMap(({ call, moments }) => moments.map((moment) => `${call}, ${moment}`)),
);

test('the same seed makes the same lives, another one others', () => {
  expect(lives(1, 50)).toEqual(lives(1, 50));
  expect(lives(2, 50)).not.toEqual(lives(1, 50));
});

test('what comes later does not depend on how many lives there are', () => {
  expect(lives(1, 50).slice(0, 20)).toEqual(lives(1, 20));
});

test('every crash point has its turn, and random moments in between', () => {
  const all = lives(7, KILLS_FOR_ALL_POINTS);
  expect(pointsIn(all)).toEqual(ALL_POINTS);
  expect(all.filter(({ kill }) => kill.kind !== 'point')).toHaveLength(Math.floor(KILLS_FOR_ALL_POINTS / 3));
});

test('a point of one kind of stores is met with that kind', () => {
  const wrong = lives(3, 200).filter(({ composed, kill }) => {
    if (kill.kind !== 'point') return false;
    const spec = CRASH_POINTS.find(({ call }) => call === kill.order.call);
    return spec?.stores === (composed ? 'embedded' : 'composed');
  });
  expect(wrong).toEqual([]);
});
