import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assignPartitions } from './assignment.ts';

test('deals partitions out in turn, whatever the order of the members', () => {
  const members = ['b', 'a'].map((memberId) => ({ memberId, topics: ['one', 'two'] }));
  const partitionsOf = new Map([
    ['two', 2],
    ['one', 3],
  ]);
  const dealt = new Map([
    ['a', { one: [0, 2], two: [1] }],
    ['b', { one: [1], two: [0] }],
  ]);
  expect(assignPartitions(members, partitionsOf)).toEqual(dealt);
  expect(assignPartitions(members.toReversed(), partitionsOf)).toEqual(dealt);
});

test('a member gets only what it subscribes to, and a topic that nobody reads is left out', () => {
  const members = [
    { memberId: 'a', topics: ['one'] },
    { memberId: 'b', topics: ['two'] },
  ];
  const partitionsOf = new Map([
    ['one', 2],
    ['two', 1],
    ['three', 9],
  ]);
  expect(assignPartitions(members, partitionsOf)).toEqual(
    new Map([
      ['a', { one: [0, 1] }],
      ['b', { two: [0] }],
    ]),
  );
});

test('each partition has one owner, and no member has two more than another', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.nat(20), { maxLength: 5 }), (members, counts) => {
      const topics = counts.map((_, n) => `topic ${n}`);
      const dealt = assignPartitions(
        Array.from({ length: members }, (_, n) => ({ memberId: `member ${n}`, topics })),
        new Map(counts.map((count, n) => [`topic ${n}`, count])),
      );
      const hands = [...dealt.values()].map((hand) =>
        Object.entries(hand).flatMap(([topic, partitions]) => partitions.map((each) => `${topic} ${each}`)),
      );
      const all = counts.flatMap((count, n) => Array.from({ length: count }, (_, p) => `topic ${n} ${p}`));
      expect(hands.flat().toSorted()).toEqual(all.toSorted());
      const sizes = hands.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});
