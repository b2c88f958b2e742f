import { expect, test } from '@jest/globals';
import type { RandomBody } from './load.ts';
import { jsonBody, luaBody, seededRandom } from './random-body.ts';

const BODY: RandomBody = {
  sender: { kind: 'name', prefix: 'c', count: 10_000 },
  amount: { kind: 'integer', min: 1, max: 500 },
};

test('the Lua expression draws each field in its range', () => {
  expect(luaBody(BODY)).toBe(
    `string.format('{"sender":"c%d","amount":%d}', math.random(0, 9999), math.random(1, 500))`,
  );
});

test.each([
  { name: 'least', drawn: 0, body: '{"sender":"c0","amount":1}' },
  { name: 'greatest', drawn: 1 - Number.EPSILON, body: '{"sender":"c9999","amount":500}' },
])('the $name number drawn gives $body', ({ drawn, body }) => {
  expect(jsonBody(BODY, () => drawn)).toBe(body);
});

test('the same seed draws the same bodies, another seed others', () => {
  const bodies = (seed: number): readonly string[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 20 }, () => jsonBody(BODY, random));
  };
  expect(bodies(1)).toEqual(bodies(1));
  expect(bodies(1)).not.toEqual(bodies(2));
  expect(new Set(bodies(1)).size).toBe(20);
});
