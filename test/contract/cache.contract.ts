import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Cache, CacheGuard, CacheWrite, ScoredMember } from '../../runtime/ports/cache.ts';
import { expectPortError, Observed, unique } from './waiting.ts';

/** An adapter under test. */
export interface CacheHarness {
  readonly cache: Cache;
  /** Another connection to the same server. */
  connect(): Promise<Cache>;
  /** Loses all content. */
  flush(): Promise<void>;
  /** Lets so many ms go by for what expires: on a clock of the test's, or by taking them off what is left. */
  elapse(ms: number): Promise<void>;
  /** Makes the connections talk to another server that holds a copy of the content. */
  failOver(): Promise<void>;
  dispose(): Promise<void>;
}

/** Runs the cache's contract on an adapter. */
export function describeCache(name: string, open: () => Promise<CacheHarness>): void {
  describe(`cache: ${name}`, () => {
    let harness: CacheHarness;
    let cache: Cache;
    let key: string;

    beforeEach(async () => {
      harness = await open();
      cache = harness.cache;
      key = unique('key');
    });

    afterEach(async () => {
      await harness.dispose();
    });

    const add = (...members: string[]): CacheWrite => ({ op: 'add', key, members });
    const score = (scores: Record<string, number>, keep: 'lowest' | 'last' = 'last'): CacheWrite => ({
      op: 'addScored',
      key,
      members: Object.entries(scores).map(([member, each]) => ({ member, score: each })),
      keep,
    });
    const pageOf = async (limit = 100, after?: ScoredMember, of = key): Promise<string[]> => {
      const { members } = await cache.page(of, after === undefined ? { limit } : { limit, after });
      return members.map((each) => `${each.member}:${each.score}`);
    };
    const isComplete = async (scored: boolean): Promise<boolean> =>
      scored ? (await cache.page(key, { limit: 1 })).complete : (await cache.contains(key, [])).complete;

    describe('sets', () => {
      test('tell which members they hold, in the order asked', async () => {
        await cache.apply([add('a', 'b', 'é 漢 😀')]);
        const { contains } = await cache.contains(key, ['b', 'none', 'é 漢 😀', 'a', 'b']);
        expect(contains).toEqual([true, false, true, true, true]);
        expect(await cache.cardinality(key)).toBe(3);
      });

      test('that do not exist hold nothing and are not complete', async () => {
        expect(await cache.contains(key, ['a'])).toEqual({ complete: false, contains: [false] });
        expect(await cache.cardinality(key)).toBe(0);
      });

      test('lose the members that are removed', async () => {
        await cache.apply([add('a', 'b')]);
        await cache.apply([{ op: 'remove', key, members: ['a', 'none'] }]);
        expect((await cache.contains(key, ['a', 'b'])).contains).toEqual([false, true]);
        expect(await cache.cardinality(key)).toBe(1);
      });

      test('take 10,000 members in a write, and none', async () => {
        const members = Array.from({ length: 10_000 }, (_, n) => `member ${n}`);
        await cache.apply([add(...members), add()]);
        expect(await cache.cardinality(key)).toBe(10_000);
        expect((await cache.contains(key, members)).contains).toEqual(members.map(() => true));
        expect((await cache.contains(key, [])).contains).toEqual([]);
      });
    });

    describe('sorted sets', () => {
      test('are paged from the highest score down, ties by member', async () => {
        await cache.apply([score({ a: 1, b: 3, c: 2, d: 2, e: 2 })]);
        expect(await pageOf()).toEqual(['b:3', 'e:2', 'd:2', 'c:2', 'a:1']);
        expect(await pageOf(2)).toEqual(['b:3', 'e:2']);
        expect(await pageOf(2, { member: 'e', score: 2 })).toEqual(['d:2', 'c:2']);
        expect(await pageOf(2, { member: 'c', score: 2 })).toEqual(['a:1']);
        expect(await pageOf(2, { member: 'a', score: 1 })).toEqual([]);
      });

      test('continue behind a position whose member is gone', async () => {
        await cache.apply([score({ a: 1, b: 2, c: 3 })]);
        await cache.apply([{ op: 'removeScored', key, members: ['b'] }]);
        expect(await pageOf(10, { member: 'b', score: 2 })).toEqual(['a:1']);
      });

      test('order ties by UTF-8 bytes: the astral planes come last, so first in a page', async () => {
        await cache.apply([score({ '\u{1F600}': 1, '\u{FFFD}': 1, 漢: 1, é: 1, z: 1, '': 1 })]);
        const { members } = await cache.page(key, { limit: 10 });
        expect(members.map(({ member }) => member)).toEqual(['\u{1F600}', '\u{FFFD}', '漢', 'é', 'z', '']);
      });

      test('keep scores exact up to 2^53 - 1', async () => {
        const [large, larger] = [2 ** 53 - 2, 2 ** 53 - 1];
        await cache.apply([score({ a: larger, b: large, c: -larger })]);
        expect(await pageOf()).toEqual([`a:${larger}`, `b:${large}`, `c:${-larger}`]);
      });

      test.each([0.5, 2 ** 53, Number.NaN])('the score %d is invalid', async (bad) => {
        await expectPortError(cache.apply([score({ a: bad })]), 'invalid');
        expect(await cache.cardinality(key)).toBe(0);
      });

      test('keep the lowest score, or the last', async () => {
        await cache.apply([score({ a: 5, b: 5 })]);
        await cache.apply([score({ a: 7, b: 3, c: 4 }, 'lowest')]);
        expect(await pageOf()).toEqual(['a:5', 'c:4', 'b:3']);
        await cache.apply([score({ a: 1, b: 9 }, 'last')]);
        expect(await pageOf()).toEqual(['b:9', 'c:4', 'a:1']);
      });

      test('take 10,000 members in a write', async () => {
        const members = Array.from({ length: 10_000 }, (_, n) => ({ member: `member ${n}`, score: n }));
        await cache.apply([{ op: 'addScored', key, members, keep: 'last' }]);
        expect(await cache.cardinality(key)).toBe(10_000);
        expect(await pageOf(2)).toEqual(['member 9999:9999', 'member 9998:9998']);
      });

      test.each([0, 1_001, 1.5])('a limit of %d is invalid', async (limit) => {
        await expectPortError(cache.page(key, { limit }), 'invalid');
      });

      test('give each member once, in order, however they were written and paged', async () => {
        const change = fc.record({
          member: fc.constantFrom('a', 'aa', 'ab', 'b', 'c', '', 'é', '\u{1F600}', '\u{FFFD}'),
          score: fc.integer({ min: -3, max: 3 }),
          remove: fc.boolean(),
        });
        const property = fc.asyncProperty(
          fc.array(fc.array(change, { maxLength: 40 }), { maxLength: 4 }),
          fc.integer({ min: 1, max: 5 }),
          async (batches, limit) => {
            const of = unique('property');
            const model = new Map<string, number>();
            for (const batch of batches) {
              await cache.apply(batch.map((each) => changeOf(of, each)));
              for (const each of batch) {
                if (each.remove) model.delete(each.member);
                else model.set(each.member, each.score);
              }
              await cache.page(of, { limit });
            }
            expect(await walk(cache, of, limit)).toEqual(sorted(model));
          },
        );
        await fc.assert(property, { numRuns: 50 });
      });
    });

    describe('hashes', () => {
      test('give fields in the order asked, undefined where there is none', async () => {
        await cache.apply([{ op: 'setFields', key, fields: { a: '1', b: '', c: '3' } }]);
        await cache.apply([
          { op: 'setFields', key, fields: { a: 'one' } },
          { op: 'removeFields', key, fields: ['c', 'none'] },
          { op: 'setFields', key, fields: {} },
        ]);
        expect(await cache.fields(key, ['c', 'b', 'a', 'a'])).toEqual([undefined, '', 'one', 'one']);
        expect(await cache.fields(unique('none'), ['a'])).toEqual([undefined]);
        expect(await cache.fields(key, [])).toEqual([]);
      });
    });

    describe('apply', () => {
      test('does its writes in order', async () => {
        const other = unique('other');
        const applied = await cache.apply([
          add('a'),
          { op: 'delete', key },
          add('b', 'c'),
          { op: 'remove', key, members: ['c'] },
          { op: 'rename', key, to: other },
          add('d'),
        ]);
        expect(applied).toBe(true);
        expect((await cache.contains(other, ['a', 'b', 'c', 'd'])).contains).toEqual([
          false,
          true,
          false,
          false,
        ]);
        expect((await cache.contains(key, ['a', 'b', 'c', 'd'])).contains).toEqual([
          false,
          false,
          false,
          true,
        ]);
      });

      test('without writes or guards applies', async () => {
        expect(await cache.apply([])).toBe(true);
        expect(await cache.apply([], [])).toBe(true);
      });

      test.each<[string, (of: string) => CacheGuard, boolean]>([
        ['cardinality of a set', (of) => ({ kind: 'cardinality', key: `${of}:set`, equals: 2 }), true],
        ['another cardinality', (of) => ({ kind: 'cardinality', key: `${of}:set`, equals: 3 }), false],
        [
          'cardinality of a sorted set',
          (of) => ({ kind: 'cardinality', key: `${of}:sorted`, equals: 1 }),
          true,
        ],
        ['cardinality of no key', (of) => ({ kind: 'cardinality', key: `${of}:none`, equals: 0 }), true],
        ['a member', (of) => ({ kind: 'member', key: `${of}:set`, member: 'a', scored: false }), true],
        ['no member', (of) => ({ kind: 'member', key: `${of}:set`, member: 'x', scored: false }), false],
        ['a nonce', (of) => ({ kind: 'member', key: `${of}:set`, member: '\0n', scored: false }), true],
        [
          'another nonce',
          (of) => ({ kind: 'member', key: `${of}:set`, member: '\0m', scored: false }),
          false,
        ],
        [
          'a scored member',
          (of) => ({ kind: 'member', key: `${of}:sorted`, member: 's', scored: true }),
          true,
        ],
        [
          'a scored nonce',
          (of) => ({ kind: 'member', key: `${of}:sorted`, member: '\0s', scored: true }),
          true,
        ],
        [
          'no scored member',
          (of) => ({ kind: 'member', key: `${of}:sorted`, member: 'x', scored: true }),
          false,
        ],
        ['a field', (of) => ({ kind: 'field', key: `${of}:hash`, field: 'f', equals: '1' }), true],
        ['another value', (of) => ({ kind: 'field', key: `${of}:hash`, field: 'f', equals: '2' }), false],
        [
          'a field too many',
          (of) => ({ kind: 'field', key: `${of}:hash`, field: 'f', equals: undefined }),
          false,
        ],
        ['no field', (of) => ({ kind: 'field', key: `${of}:hash`, field: 'g', equals: undefined }), true],
        ['no hash', (of) => ({ kind: 'field', key: `${of}:none`, field: 'f', equals: undefined }), true],
      ])('is guarded by %s', async (_, guard, holds) => {
        await cache.apply([
          { op: 'add', key: `${key}:set`, members: ['a', 'b', '\0n'] },
          {
            op: 'addScored',
            key: `${key}:sorted`,
            keep: 'last',
            members: [
              { member: 's', score: 1 },
              { member: '\0s', score: 1 },
            ],
          },
          { op: 'setFields', key: `${key}:hash`, fields: { f: '1' } },
        ]);
        const always: CacheGuard = { kind: 'cardinality', key: unique('none'), equals: 0 };
        expect(await cache.apply([add('written')], [always, guard(key)])).toBe(holds);
        expect((await cache.contains(key, ['written'])).contains).toEqual([holds]);
      });

      test('of concurrent calls with one guard exactly one applies', async () => {
        const other = await harness.connect();
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            (n % 2 === 0 ? cache : other).apply(
              [{ op: 'setFields', key, fields: { winner: `${n}` } }],
              [{ kind: 'field', key, field: 'winner', equals: undefined }],
            ),
          ),
        );
        const winners = outcomes.flatMap((applied, n) => (applied ? [`${n}`] : []));
        expect(winners).toHaveLength(1);
        expect(await cache.fields(key, ['winner'])).toEqual(winners);
        await other.close();
      });

      test('a key of another kind is invalid', async () => {
        await cache.apply([add('a')]);
        await expectPortError(cache.apply([score({ b: 1 })]), 'invalid');
        await expectPortError(cache.page(key, { limit: 1 }), 'invalid');
        await expectPortError(cache.fields(key, ['a']), 'invalid');
      });
    });

    describe('keys', () => {
      test('move onto others, which are replaced; one that does not exist leaves both as they are', async () => {
        const to = unique('to');
        await cache.apply([add('new'), { op: 'add', key: to, members: ['old'] }]);
        await cache.apply([{ op: 'rename', key, to }]);
        expect((await cache.contains(to, ['new', 'old'])).contains).toEqual([true, false]);
        expect(await cache.cardinality(key)).toBe(0);
        expect(await cache.apply([{ op: 'rename', key, to }])).toBe(true);
        expect((await cache.contains(to, ['new'])).contains).toEqual([true]);
      });

      test('expire, unless they are made to persist; the time counts from now', async () => {
        const kept = unique('kept');
        await cache.apply([
          add('a'),
          { op: 'expire', key, ttlMs: 30_000 },
          { op: 'add', key: kept, members: ['a'] },
          { op: 'expire', key: kept, ttlMs: 30_000 },
          { op: 'persist', key: kept },
          { op: 'expire', key: unique('none'), ttlMs: 30_000 },
        ]);
        expect(await cache.cardinality(key)).toBe(1);
        await harness.elapse(20_000);
        await cache.apply([{ op: 'expire', key, ttlMs: 30_000 }]);
        await harness.elapse(20_000);
        expect(await cache.cardinality(key)).toBe(1);
        await harness.elapse(20_000);
        expect(await cache.cardinality(key)).toBe(0);
        expect(await cache.cardinality(kept)).toBe(1);
      });

      test('with `ifNone` keep the time to live that they have', async () => {
        await cache.apply([add('a'), { op: 'expire', key, ttlMs: 30_000, ifNone: true }]);
        await harness.elapse(20_000);
        await cache.apply([add('b'), { op: 'expire', key, ttlMs: 30_000, ifNone: true }]);
        expect(await cache.cardinality(key)).toBe(2);
        await harness.elapse(20_000);
        expect(await cache.cardinality(key)).toBe(0);
      });

      test('keep their time to live when members are added and when they move', async () => {
        const to = unique('to');
        await cache.apply([add('a'), { op: 'expire', key, ttlMs: 30_000 }]);
        await cache.apply([add('b'), { op: 'rename', key, to }]);
        expect(await cache.cardinality(to)).toBe(2);
        await harness.elapse(40_000);
        expect(await cache.cardinality(to)).toBe(0);
      });

      test('are gone when deleted, and after a flush', async () => {
        await cache.apply([add('a')]);
        await cache.apply([{ op: 'delete', key }]);
        expect(await cache.cardinality(key)).toBe(0);
        await cache.apply([add('a')]);
        await harness.flush();
        expect(await cache.cardinality(key)).toBe(0);
      });
    });

    describe.each([false, true])('marks (scored: %s)', (scored) => {
      const mark = (): CacheWrite => ({ op: 'mark', key, scored });
      const addOne = (member: string): CacheWrite => (scored ? score({ [member]: 1 }) : add(member));

      test('make a set complete, whatever is added later', async () => {
        await cache.apply([addOne('a')]);
        expect(await isComplete(scored)).toBe(false);
        await cache.apply([mark()]);
        expect(await isComplete(scored)).toBe(true);
        await cache.apply([addOne('b')]);
        expect(await isComplete(scored)).toBe(true);
        expect(await cache.cardinality(key)).toBe(2);
      });

      test('make an empty set complete', async () => {
        await cache.apply([mark()]);
        expect(await isComplete(scored)).toBe(true);
        expect(await cache.cardinality(key)).toBe(0);
        expect(scored ? await pageOf() : []).toEqual([]);
      });

      test('stay when the last member is removed, and go with the key', async () => {
        await cache.apply([addOne('a'), mark()]);
        await cache.apply([{ op: scored ? 'removeScored' : 'remove', key, members: ['a'] }]);
        expect(await isComplete(scored)).toBe(true);
        await cache.apply([{ op: 'delete', key }]);
        await cache.apply([addOne('a')]);
        expect(await isComplete(scored)).toBe(false);
      });

      test('move with the key', async () => {
        const from = unique('from');
        await cache.apply([
          { op: 'mark', key: from, scored },
          { op: 'rename', key: from, to: key },
        ]);
        expect(await isComplete(scored)).toBe(true);
      });

      test('are lost in a flush', async () => {
        await cache.apply([addOne('a'), mark()]);
        await harness.flush();
        expect(await isComplete(scored)).toBe(false);
        await cache.apply([addOne('a')]);
        expect(await isComplete(scored)).toBe(false);
      });

      test('of another server do not count, until this one marks', async () => {
        await cache.apply([addOne('a'), mark()]);
        await harness.failOver();
        expect(await isComplete(scored)).toBe(false);
        expect(await cache.cardinality(key)).toBe(1);
        await cache.apply([mark()]);
        expect(await isComplete(scored)).toBe(true);
        expect(await cache.cardinality(key)).toBe(1);
      });

      test('are put by guarded writes only if the nonce is still there', async () => {
        const nonce = '\0nonce';
        const rebuild = (): Promise<boolean> =>
          cache.apply([mark()], [{ kind: 'member', key, member: nonce, scored }]);
        expect(await rebuild()).toBe(false);
        await cache.apply([addOne(nonce), addOne('a')]);
        expect(await cache.cardinality(key)).toBe(1);
        if (scored) expect(await pageOf()).toEqual(['a:1']);
        expect(await rebuild()).toBe(true);
        await cache.apply([{ op: scored ? 'removeScored' : 'remove', key, members: [nonce] }]);
        expect(await isComplete(scored)).toBe(true);
        expect(await rebuild()).toBe(false);
      });
    });

    describe('hidden members', () => {
      const members = ['a', 'b', '\0x', '\0y', '\0z', '\0'];
      const change = fc.record({
        op: fc.constantFrom<'add' | 'remove' | 'mark'>('add', 'add', 'remove', 'mark'),
        members: fc.uniqueArray(fc.constantFrom(...members), { minLength: 1 }),
      });

      test.each([false, true])(
        'are held, and neither seen nor counted, however they come and go (scored: %s)',
        async (scored) => {
          const property = fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
            const of = unique('hidden');
            const model = new Set<string>();
            for (const each of changes) {
              await cache.apply([hidingWrite(of, each, scored)]);
              for (const member of each.members) {
                if (each.op === 'add') model.add(member);
                if (each.op === 'remove') model.delete(member);
              }
            }
            const visible = [...model].filter((member) => !member.startsWith('\0'));
            const guards: CacheGuard[] = [...model].map((member) => ({
              kind: 'member',
              key: of,
              member,
              scored,
            }));
            const count: CacheGuard = { kind: 'cardinality', key: of, equals: visible.length };
            expect(await cache.cardinality(of)).toBe(visible.length);
            expect(await cache.apply([], [count, ...guards])).toBe(true);
            if (scored) return;
            const { contains } = await cache.contains(of, members);
            expect(contains).toEqual(members.map((member) => visible.includes(member)));
          });
          await fc.assert(property, { numRuns: 50 });
        },
      );
    });

    describe('addCounting', () => {
      test('tells how many members are new, each counted once', async () => {
        expect(await cache.addCounting(key, ['a', 'b', 'a'], 10_000)).toBe(2);
        expect(await cache.addCounting(key, ['b', 'c', 'é', 'e\u0301', 'c'], 10_000)).toBe(3);
        expect(await cache.addCounting(key, ['a', 'b', 'c'], 10_000)).toBe(0);
        expect(await cache.addCounting(key, [], 10_000)).toBe(0);
        expect(await cache.cardinality(key)).toBe(5);
        expect((await cache.contains(key, ['a', 'c', 'e\u0301', 'x'])).contains).toEqual([
          true,
          true,
          true,
          false,
        ]);
      });

      test('without members makes no set', async () => {
        expect(await cache.addCounting(key, [], 10_000)).toBe(0);
        const taken: CacheWrite = { op: 'setFields', key, fields: { a: '1' } };
        expect(await cache.apply([taken], [{ kind: 'cardinality', key, equals: 0 }])).toBe(true);
        expect(await cache.fields(key, ['a'])).toEqual(['1']);
      });

      test('leaves marks and nonces out of the count', async () => {
        await cache.apply([{ op: 'mark', key, scored: false }, add('\0nonce', 'a')]);
        expect(await cache.addCounting(key, ['a', 'b'], 10_000)).toBe(1);
        expect(await cache.cardinality(key)).toBe(2);
        expect((await cache.contains(key, [])).complete).toBe(true);
      });

      test('gives the set this time to live, from the last call', async () => {
        await cache.addCounting(key, ['a'], 30_000);
        await harness.elapse(20_000);
        await cache.addCounting(key, ['b'], 30_000);
        await harness.elapse(20_000);
        expect(await cache.cardinality(key)).toBe(2);
        await harness.elapse(20_000);
        expect(await cache.cardinality(key)).toBe(0);
        await cache.addCounting(key, ['a'], 30_000);
        await cache.apply([{ op: 'persist', key }]);
        await harness.elapse(40_000);
        expect(await cache.cardinality(key)).toBe(1);
      });

      test('takes 1,000 members at once', async () => {
        const members = Array.from({ length: 1_000 }, (_, n) => `member ${n}`);
        expect(await cache.addCounting(key, members, 10_000)).toBe(1_000);
        expect(await cache.addCounting(key, ['one more', ...members], 10_000)).toBe(1);
      });

      test('of those who race counts each member for one: the counts add up to the size', async () => {
        const other = await harness.connect();
        const counts = await Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            (n % 2 === 0 ? cache : other).addCounting(
              key,
              Array.from({ length: 10 }, (__, index) => `m${n * 5 + index}`),
              10_000,
            ),
          ),
        );
        const sum = counts.reduce((before, count) => before + count, 0);
        expect([sum, await cache.cardinality(key)]).toEqual([105, 105]);
        await other.close();
      });

      test('counts again what was lost in between, so that the sum is larger than the set', async () => {
        const first = await cache.addCounting(key, ['a', 'b'], 10_000);
        await harness.flush();
        const second = await cache.addCounting(key, ['b', 'c'], 10_000);
        expect(first + second).toBe(4);
        const guard: CacheGuard = { kind: 'cardinality', key, equals: first + second };
        expect(await cache.apply([{ op: 'mark', key, scored: false }], [guard])).toBe(false);
      });

      test('refuses a key of another kind', async () => {
        await cache.apply([score({ a: 1 })]);
        await expectPortError(cache.addCounting(key, ['a'], 10_000), 'invalid');
        expect(await pageOf()).toEqual(['a:1']);
      });
    });

    describe('claimDue', () => {
      test('takes what is due, lowest first, and leases it', async () => {
        await cache.apply([score({ later: 200, b: 90, a: 100, c: 80, '\0nonce': 1 })]);
        const claim = (now: number, limit: number): Promise<readonly string[]> =>
          cache.claimDue(key, { now, leaseMs: 50, limit });
        expect(await claim(100, 2)).toEqual(['c', 'b']);
        expect(await pageOf()).toEqual(['later:200', 'c:150', 'b:150', 'a:100']);
        expect(await claim(100, 10)).toEqual(['a']);
        expect(await claim(149, 10)).toEqual([]);
        expect((await claim(150, 10)).toSorted()).toEqual(['a', 'b', 'c']);
        expect(await cache.claimDue(unique('none'), { now: 1, leaseMs: 1, limit: 1 })).toEqual([]);
      });

      test('leaves hidden members where they are, however low their score', async () => {
        const hidden = ['\0epoch', '\0nonce', '\0'];
        await cache.apply([score({ ...Object.fromEntries(hidden.map((each) => [each, 1])), a: 2, b: 3 })]);
        const claim = (now: number): Promise<readonly string[]> =>
          cache.claimDue(key, { now, leaseMs: 50, limit: 2 });
        expect(await claim(100)).toEqual(['a', 'b']);
        expect(await claim(100)).toEqual([]);
        await cache.apply([{ op: 'removeScored', key, members: ['a', 'b'] }]);
        expect(await claim(1_000)).toEqual([]);
        const guards = hidden.map((member): CacheGuard => ({ kind: 'member', key, member, scored: true }));
        expect(await cache.apply([], guards)).toBe(true);
      });

      test('gives each member to one of the callers that race for it', async () => {
        const other = await harness.connect();
        const members = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`m${n}`, n]));
        await cache.apply([score(members)]);
        const claims = await Promise.all(
          Array.from({ length: 10 }, (_, n) =>
            (n % 2 === 0 ? cache : other).claimDue(key, { now: 100, leaseMs: 1_000, limit: 7 }),
          ),
        );
        expect(claims.flat().toSorted()).toEqual(Object.keys(members).toSorted());
        await other.close();
      });
    });

    describe('leases', () => {
      test('are held by one owner until they are given back', async () => {
        const other = await harness.connect();
        const lease = await cache.acquireLease(key, 'ann', 10_000);
        expect(lease).toBeDefined();
        expect(await other.acquireLease(key, 'bob', 10_000)).toBeUndefined();
        expect(await other.acquireLease(unique('another'), 'bob', 10_000)).toBeDefined();
        await lease?.release();
        expect(await other.acquireLease(key, 'bob', 10_000)).toBeDefined();
        expect(await lease?.renew()).toBe(false);
        await other.close();
      });

      test('run out unless they are renewed, each time by their full time', async () => {
        const lease = await cache.acquireLease(key, 'ann', 60_000);
        for (let round = 0; round < 2; round++) {
          await harness.elapse(40_000);
          expect(await lease?.renew()).toBe(true);
        }
        await harness.elapse(40_000);
        expect(await cache.acquireLease(key, 'bob', 60_000)).toBeUndefined();
        await harness.elapse(40_000);
        expect(await lease?.renew()).toBe(false);
        const next = await cache.acquireLease(key, 'bob', 10_000);
        expect(next).toBeDefined();
        expect(await lease?.renew()).toBe(false);
        await lease?.release();
        expect(await cache.acquireLease(key, 'ann', 60_000)).toBeUndefined();
        expect(await next?.renew()).toBe(true);
      });

      test('are lost in a flush', async () => {
        const lease = await cache.acquireLease(key, 'ann', 10_000);
        await harness.flush();
        expect(await lease?.renew()).toBe(false);
        expect(await cache.acquireLease(key, 'bob', 10_000)).toBeDefined();
      });

      test('of several who ask at once one gets it', async () => {
        const leases = await Promise.all(
          Array.from({ length: 10 }, (_, n) => cache.acquireLease(key, `owner ${n}`, 10_000)),
        );
        expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
      });
    });

    describe('channels', () => {
      test('bring each message to all who are subscribed now, in order', async () => {
        const other = await harness.connect();
        const [one, two] = [new Observed<string>(), new Observed<string>()];
        await cache.publish(key, 'too early');
        const unsubscribe = await cache.subscribe(key, one.push);
        await other.subscribe(key, two.push);
        await other.publish(key, 'first');
        await cache.publish(unique('another'), 'not for us');
        await other.publish(key, 'second');
        await one.count('one', 2);
        await two.count('two', 2);
        await unsubscribe();
        await cache.publish(key, 'third');
        await two.count('two', 3);
        expect(one.items).toEqual(['first', 'second']);
        expect(two.items).toEqual(['first', 'second', 'third']);
        await other.close();
      });

      test('two subscriptions of one connection are apart', async () => {
        const [one, two] = [new Observed<string>(), new Observed<string>()];
        const unsubscribe = await cache.subscribe(key, one.push);
        await cache.subscribe(key, two.push);
        await cache.publish(key, 'first');
        await one.count('one', 1);
        await two.count('two', 1);
        await unsubscribe();
        await cache.publish(key, 'second');
        await two.count('two', 2);
        expect(one.items).toEqual(['first']);
      });
    });

    test('a server with settings as they should be passes the check', async () => {
      await expect(cache.check()).resolves.toBeUndefined();
    });

    test('calls after closing reject with closed', async () => {
      const lease = await cache.acquireLease(key, 'ann', 10_000);
      await cache.close();
      const calls: (() => Promise<unknown>)[] = [
        () => cache.apply([]),
        () => cache.contains(key, []),
        () => cache.cardinality(key),
        () => cache.page(key, { limit: 1 }),
        () => cache.fields(key, []),
        () => cache.claimDue(key, { now: 1, leaseMs: 1, limit: 1 }),
        () => cache.acquireLease(key, 'bob', 1),
        () => cache.publish(key, 'message'),
        () => cache.subscribe(key, () => {}),
        () => lease?.renew() ?? Promise.resolve(),
      ];
      for (const call of calls) await expectPortError(call(), 'closed');
      await cache.close();
    });
  });
}

interface Change extends ScoredMember {
  readonly remove: boolean;
}

function changeOf(key: string, { member, score, remove }: Change): CacheWrite {
  return remove
    ? { op: 'removeScored', key, members: [member] }
    : { op: 'addScored', key, members: [{ member, score }], keep: 'last' };
}

interface HiddenChange {
  readonly op: 'add' | 'remove' | 'mark';
  readonly members: readonly string[];
}

function hidingWrite(key: string, { op, members }: HiddenChange, scored: boolean): CacheWrite {
  if (op === 'mark') return { op, key, scored };
  if (!scored) return { op, key, members };
  return op === 'remove'
    ? { op: 'removeScored', key, members }
    : { op: 'addScored', key, members: members.map((member) => ({ member, score: 1 })), keep: 'last' };
}

async function walk(cache: Cache, key: string, limit: number): Promise<ScoredMember[]> {
  const walked: ScoredMember[] = [];
  let { members } = await cache.page(key, { limit });
  for (let after = members.at(-1); after !== undefined; after = members.at(-1)) {
    walked.push(...members);
    ({ members } = await cache.page(key, { limit, after }));
  }
  return walked;
}

function sorted(model: ReadonlyMap<string, number>): ScoredMember[] {
  return [...model]
    .map(([member, score]) => ({ member, score }))
    .toSorted(
      (one, other) =>
        other.score - one.score || Buffer.compare(Buffer.from(other.member), Buffer.from(one.member)),
    );
}
