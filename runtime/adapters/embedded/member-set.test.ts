import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemberSet } from './member-set.ts';

describe('a set of members', () => {
  test('is what a Set is, whatever is added and removed', () => {
    // Few members, so that they meet; all of them at once fill several tables and pages.
    const members = fc.oneof(
      fc.constantFrom('', 'a', 'aa', 'é', '漢', '🦊', '\0nonce', '\ufeffa', 'x'.repeat(1_500)),
      fc.nat({ max: 3_000 }).map((n) => `member ${n}`),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    const change = fc.record({ member: members, remove: fc.boolean() });
    const property = fc.property(fc.array(change, { maxLength: 2_000, size: 'max' }), (changes) => {
      const set = new MemberSet();
      const model = new Set<string>();
      for (const { member, remove } of changes) {
        expect(set.has(member)).toBe(model.has(member));
        for (const each of [set, model]) {
          if (remove) each.delete(member);
          else each.add(member);
        }
        expect(set.has(member)).toBe(!remove);
        expect(set.size).toBe(model.size);
      }
      expect([...set].toSorted()).toEqual([...model].toSorted());
    });
    fc.assert(property, { numRuns: 30 });
  });

  test('holds many members, over many pages and tables', () => {
    const count = 200_000;
    const set = new MemberSet();
    for (let n = 0; n < count; n++) set.add(`a client with the number ${n}`);
    for (let n = 0; n < count; n += 2) set.delete(`a client with the number ${n}`);
    let right = 0;
    for (let n = 0; n < count; n++)
      if (set.has(`a client with the number ${n}`) === (n % 2 === 1)) right += 1;
    expect({ right, size: set.size }).toEqual({ right: count, size: count / 2 });
  });

  test('holds members that are longer than a page beside short ones', () => {
    const long = 'x'.repeat(3_000_000);
    const set = new MemberSet();
    for (const member of ['a', long, 'b', `${long}x`, 'c', long]) set.add(member);
    expect(set.size).toBe(5);
    expect(['a', 'b', 'c', long, `${long}x`, `${long}xx`].map((each) => set.has(each))).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  test('takes no more room however often members come and go', () => {
    const large = (n: number): string => `${'x'.repeat(100_000)}${n}`;
    const set = new MemberSet();
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 0; n < 1_000; n++) {
      set.add(large(n));
      set.delete(large(n - 1));
    }
    expect([...set]).toEqual([large(999)]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  test('is empty when it was cleared, and takes members again', () => {
    const set = new MemberSet();
    for (let n = 0; n < 5_000; n++) set.add(`${n}`);
    set.clear();
    expect([...set, set.size, set.has('1')]).toEqual([0, false]);
    set.add('1');
    expect([...set]).toEqual(['1']);
  });

  test('makes strings well-formed, as every store of UTF-8 does', () => {
    const set = new MemberSet();
    set.add('a\ud83e');
    expect([...set]).toEqual(['a\ufffd']);
    expect(set.has('a\udd8a')).toBe(true);
  });
});
