import { beforeEach, describe, expect, test } from '@jest/globals';
import { FakeCache } from '../../test/helpers/fake-cache.ts';
import type { CacheWrite, ScoredMember } from '../ports/cache.ts';
import { PortError } from '../ports/port-error.ts';
import { DerivedSet } from './derived-set.ts';

const KEY = 'friends:ada';

let cache: FakeCache;
/** What the document store holds of ada. */
let stored: ScoredMember[];
/** Called when a rebuild has read the store, before it goes on. */
let afterRead: () => void | Promise<void>;
let reads: number;
let set: DerivedSet;

beforeEach(() => {
  cache = new FakeCache();
  stored = [];
  reads = 0;
  afterRead = () => {};
  set = new DerivedSet({ cache: cache.port, name: 'friends', ttlMs: 60_000, source });
});

async function* source(): AsyncGenerator<readonly ScoredMember[]> {
  reads += 1;
  const snapshot = [...stored];
  for (const member of snapshot) yield [member];
  yield [];
  await afterRead();
}

/** What a write does: first the store, then the cache. */
async function add(member: string, score: number): Promise<void> {
  stored.push({ member, score });
  await cache.port.apply(set.additions('ada', [{ member, score }]));
}

async function names(): Promise<readonly string[]> {
  const { members, complete } = await set.page('ada', { limit: 100 });
  expect(complete).toBe(true);
  return members.map(({ member }) => member);
}

function isMark(writes: readonly CacheWrite[]): boolean {
  return writes.some(({ op }) => op === 'mark');
}

describe('a derived set', () => {
  test('is built from the store once, and answered from the cache from then on', async () => {
    stored = [
      { member: 'bob', score: 1 },
      { member: 'eve', score: 2 },
    ];
    expect(await names()).toEqual(['eve', 'bob']);
    expect(await names()).toEqual(['eve', 'bob']);
    expect(reads).toBe(1);
    await add('zoe', 3);
    expect(await names()).toEqual(['zoe', 'eve', 'bob']);
    expect(reads).toBe(1);
  });

  test('that is empty is complete too', async () => {
    expect(await names()).toEqual([]);
    expect(await names()).toEqual([]);
    expect(reads).toBe(1);
  });

  test('that holds a part only is never taken for the whole', async () => {
    stored = [{ member: 'bob', score: 1 }];
    await add('eve', 2);
    expect(cache.members(KEY)).toEqual(['eve']);
    expect(await names()).toEqual(['eve', 'bob']);
  });

  test('is the same after a loss', async () => {
    await add('bob', 5);
    await add('eve', 3);
    await add('bob', 9);
    const before = await set.page('ada', { limit: 100 });
    expect(before.members).toEqual([
      { member: 'bob', score: 5 },
      { member: 'eve', score: 3 },
    ]);
    cache.flush();
    expect(await set.page('ada', { limit: 100 })).toEqual(before);
  });

  test('starts over when the cache loses it during a rebuild', async () => {
    stored = [{ member: 'bob', score: 1 }];
    afterRead = () => {
      if (reads < 3) cache.flush();
    };
    expect(await names()).toEqual(['bob']);
    expect(reads).toBe(3);
  });

  test('has the write that races with its rebuild', async () => {
    stored = [{ member: 'bob', score: 1 }];
    afterRead = () => (reads === 1 ? add('eve', 2) : undefined);
    expect(await names()).toEqual(['eve', 'bob']);
    expect(reads).toBe(1);
  });

  test('has the write that races with its rebuild and with a loss', async () => {
    stored = [{ member: 'bob', score: 1 }];
    afterRead = async () => {
      if (reads > 1) return;
      await add('eve', 2);
      cache.flush();
    };
    expect(await names()).toEqual(['eve', 'bob']);
    expect(reads).toBe(2);
  });

  test('is rebuilt once for all who ask at the same time', async () => {
    stored = [{ member: 'bob', score: 1 }];
    expect(await Promise.all([names(), names(), names()])).toEqual([['bob'], ['bob'], ['bob']]);
    expect(reads).toBe(1);
  });

  test('is given up after a bounded number of rebuilds', async () => {
    cache.beforeApply = (writes) => {
      if (isMark(writes)) cache.flush();
    };
    await expect(set.page('ada', { limit: 1 })).rejects.toMatchObject({
      name: 'PortError',
      kind: 'unavailable',
    });
    expect(reads).toBeLessThan(10);
    cache.beforeApply = () => {};
    expect(await names()).toEqual([]);
  });

  test('can be asked again after the store failed in a rebuild', async () => {
    stored = [{ member: 'bob', score: 1 }];
    afterRead = () => {
      throw new PortError('unavailable', 'document-store.find', 'away');
    };
    await expect(set.page('ada', { limit: 1 })).rejects.toMatchObject({ kind: 'unavailable' });
    expect(cache.members(KEY)).toEqual(['bob']);
    afterRead = () => {};
    expect(await names()).toEqual(['bob']);
  });

  test('is read in pages', async () => {
    for (let n = 0; n < 5; n += 1) await add(`name ${n}`, n);
    const first = await set.page('ada', { limit: 2 });
    const last = first.members.at(-1);
    expect(first.members.map(({ score }) => score)).toEqual([4, 3]);
    if (last === undefined) throw new Error('the page is empty');
    const second = await set.page('ada', { limit: 2, after: last });
    expect(second.members.map(({ score }) => score)).toEqual([2, 1]);
  });
});
