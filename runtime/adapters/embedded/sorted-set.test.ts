import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SortedSet } from './sorted-set.ts';

test('pages are those of a naive sort, after few changes and after many', () => {
  const change = fc.record({
    member: fc.nat(300).map((n) => `m${n}`),
    score: fc.nat(5),
    remove: fc.boolean(),
  });
  const property = fc.property(
    fc.array(fc.array(change, { maxLength: 400, size: 'max' }), { maxLength: 8 }),
    (batches) => {
      const set = new SortedSet();
      const model = new Map<string, number>();
      for (const batch of batches) {
        for (const { member, score, remove } of batch) {
          if (remove) {
            set.remove(member);
            model.delete(member);
          } else {
            set.add({ member, score }, 'last');
            model.set(member, score);
          }
        }
        const naive = [...model]
          .map(([member, score]) => ({ member, score }))
          .sort((one, other) => one.score - other.score || (one.member < other.member ? -1 : 1));
        expect(set.lowest(2, 10)).toEqual(naive.filter(({ score }) => score <= 2).slice(0, 10));
        expect(set.page(undefined, 1_000)).toEqual(naive.toReversed());
        const after = { member: 'm3', score: 3 };
        const behind = naive.filter(({ member, score }) => score < 3 || (score === 3 && member < 'm3'));
        expect(set.page(after, 5)).toEqual(behind.toReversed().slice(0, 5));
        expect(set.size).toBe(model.size);
      }
    },
  );
  fc.assert(property, { numRuns: 50 });
});
