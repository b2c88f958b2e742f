import { beforeEach, describe, expect, test } from '@jest/globals';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import {
  type LoadOptions,
  type LoadProgress,
  type LoadResult,
  loadFraudList,
} from '../../runtime/roles/feeder/load-fraud-list.ts';
import { Faults } from '../helpers/fakes.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { FRAUD_SET, judge, stepped } from './judge.ts';
import { ListObject, SOURCE } from './list-object.ts';

/** The set in force and the record of it. */
const KEYS_IN_FORCE = 2;

let clock: ManualClock;
let data: CacheData;
let cache: EmbeddedCache;
let object: ListObject;

beforeEach(() => {
  clock = new ManualClock();
  data = new CacheData(() => clock.now());
  cache = new EmbeddedCache(data);
  object = new ListObject();
});

const load = (options: Partial<LoadOptions> = {}): Promise<LoadResult> =>
  loadFraudList({
    objects: object.store,
    cache,
    source: SOURCE,
    set: FRAUD_SET,
    allowEmpty: false,
    clock,
    ...options,
  });

const manyNames = (count: number): string =>
  Array.from({ length: count }, (_, n) => `client ${n}\n`).join('');

describe('a load', () => {
  test('brings the list into force, each name once', async () => {
    object.put('ann\nbob\nann\nZoe\u0308\n');
    const result = await load();
    expect(result).toMatchObject({
      outcome: 'loaded',
      list: { etag: ListObject.etagOf('ann\nbob\nann\nZoe\u0308\n'), names: 3, loadedAt: clock.now() },
      refused: { count: 0, undecodable: 0, first: [] },
    });
    expect(await judge(cache, ['ann', 'bob', 'Zo\u00eb', 'clean'])).toEqual(['ann', 'bob', 'Zo\u00eb']);
    expect(data.size).toBe(KEYS_IN_FORCE);
  });

  test('lets the list stay in force for good', async () => {
    object.put('ann\n');
    await load();
    clock.advance(86_400_000);
    expect(await judge(cache, ['ann', 'clean'])).toEqual(['ann']);
  });

  test('replaces a list by a longer and by a shorter one', async () => {
    object.put('ann\nbob\n');
    await load();
    object.put(`ann\ncid\n${manyNames(1_700)}`);
    expect(await load()).toMatchObject({ outcome: 'loaded', list: { names: 1_702 } });
    expect(await judge(cache, ['ann', 'bob', 'cid', 'client 1699', 'client 1700'])).toEqual([
      'ann',
      'cid',
      'client 1699',
    ]);
    object.put('dan\n');
    expect(await load()).toMatchObject({ outcome: 'loaded', list: { names: 1 } });
    expect(await judge(cache, ['ann', 'bob', 'cid', 'dan', 'client 3'])).toEqual(['dan']);
    expect(data.size).toBe(KEYS_IN_FORCE);
  });

  test('of what is in force already reads nothing', async () => {
    object.put('ann\n');
    const first = await load();
    let pieces = 0;
    object.before = (what) => {
      if (what === 'piece') pieces += 1;
    };
    expect(await load()).toEqual({ outcome: 'current', list: 'list' in first ? first.list : undefined });
    expect(pieces).toBe(0);
  });

  test.each(['flush', 'failOver'] as const)(
    'after a %s brings the same list into force again',
    async (fault) => {
      object.put('ann\n');
      await load();
      data[fault]();
      expect(await judge(cache, ['ann'])).toBe('unknown');
      expect(await load()).toMatchObject({ outcome: 'loaded' });
      expect(await judge(cache, ['ann', 'clean'])).toEqual(['ann']);
    },
  );

  test('finds no object', async () => {
    expect(await load()).toEqual({ outcome: 'missing' });
    object.put('ann\n');
    await load();
    object.remove();
    expect(await load()).toEqual({ outcome: 'missing' });
    expect(await judge(cache, ['ann', 'clean'])).toEqual(['ann']);
  });

  test('leaves out the lines that are no names, and tells which', async () => {
    object.put('ann\nbell\u0007\nbob\n');
    expect(await load()).toMatchObject({
      outcome: 'loaded',
      list: { names: 2 },
      refused: {
        count: 1,
        first: [{ line: 2, why: 'invisible character or white space', start: 'bell\\u{7}' }],
      },
    });
    expect(await judge(cache, ['ann', 'bell', 'bob'])).toEqual(['ann', 'bob']);
  });

  describe('refuses', () => {
    test.each<[string, string | Buffer, boolean, string]>([
      ['an empty list', '', false, 'it is empty, and spec.feeder.allowEmpty is false'],
      ['a list of blank lines', '\n \r\n', false, 'it is empty, and spec.feeder.allowEmpty is false'],
      ['a list without any name', 'a\tb\nc\td\n', false, 'none of its lines is a name'],
      ['that also where an empty list is allowed', 'a\tb\nc\td\n', true, 'none of its lines is a name'],
      [
        'a list in another encoding',
        Buffer.from('ann\nM\u00fcller\nJos\u00e9\n', 'latin1'),
        false,
        '2 of its lines are not UTF-8, so nobody knows whom they name',
      ],
      [
        'UTF-16',
        Buffer.from('\ufeffann\nbob\n', 'utf16le'),
        false,
        '1 of its lines are not UTF-8, so nobody knows whom they name',
      ],
    ])('%s; the old list stays', async (_, content, allowEmpty, reason) => {
      object.put('ann\n');
      await load();
      object.put(content);
      const etag = ListObject.etagOf(content);
      expect(await load({ allowEmpty })).toMatchObject({ outcome: 'refused', etag, reason });
      expect(await judge(cache, ['ann', 'clean'])).toEqual(['ann']);
      expect(data.size).toBe(KEYS_IN_FORCE);
    });
  });

  test('takes an empty list where that is allowed: then nobody is on it', async () => {
    object.put('');
    expect(await load({ allowEmpty: true })).toMatchObject({ outcome: 'loaded', list: { names: 0 } });
    expect(await judge(cache, ['ann', 'bob'])).toEqual([]);
    object.put('ann\n');
    await load({ allowEmpty: true });
    expect(await judge(cache, ['ann', 'bob'])).toEqual(['ann']);
    object.put('\n');
    await load({ allowEmpty: true });
    expect(await judge(cache, ['ann', 'bob'])).toEqual([]);
  });

  describe('that fails leaves the old list in force and nothing else behind', () => {
    beforeEach(async () => {
      object.put('ann\n');
      await load();
      object.put(manyNames(2_000));
      object.pieceBytes = 1_000;
    });

    const expectUnchanged = async (): Promise<void> => {
      expect(await judge(cache, ['ann', 'client 1'])).toEqual(['ann']);
      expect(data.size).toBe(KEYS_IN_FORCE);
    };

    test('when the content ends early', async () => {
      object.cutBytes = 3;
      await expect(load()).rejects.toThrow(/only \d+ of the \d+ bytes/);
      await expectUnchanged();
    });

    test('when the content fails', async () => {
      let pieces = 0;
      object.before = (what) => {
        pieces += what === 'piece' ? 1 : 0;
        if (pieces === 5) throw new PortError('unavailable', 'object-store.get', 'reset');
      };
      await expect(load()).rejects.toThrow('reset');
      await expectUnchanged();
    });

    test.each(['addCounting', 'apply', 'contains', 'fields'])('when the cache fails in %s', async (call) => {
      const faults = new Faults();
      faults.failNext(call, new PortError('unavailable', `cache.${call}`, 'away'));
      await expect(load({ cache: faults.wrap(cache) })).rejects.toThrow('away');
      await expectUnchanged();
    });

    test('when it is ended', async () => {
      const stop = new AbortController();
      const ended = load({
        signal: stop.signal,
        cache: stepped(cache, (_, call) => {
          if (call === 'addCounting') stop.abort(new Error('stopped'));
        }),
      });
      await expect(ended).rejects.toThrow('stopped');
      await expectUnchanged();
    });

    test('when the cache loses names each time', async () => {
      const losing = stepped(cache, async (when, call, [loading]) => {
        if (when === 'before' || call !== 'addCounting') return;
        await cache.apply([{ op: 'remove', key: String(loading), members: ['client 7'] }]);
      });
      await expect(load({ cache: losing })).rejects.toThrow('3 times');
      await expectUnchanged();
    });
  });

  test('starts over when the cache loses names once', async () => {
    object.put(manyNames(2_000));
    object.pieceBytes = 1_000;
    let adds = 0;
    const losing = stepped(cache, (when, call) => {
      if (call !== 'addCounting' || when === 'before') return;
      adds += 1;
      if (adds === 3) data.flush();
    });
    expect(await load({ cache: losing })).toMatchObject({ outcome: 'loaded', list: { names: 2_000 } });
    expect(await judge(cache, ['client 0', 'client 1999', 'clean'])).toEqual(['client 0', 'client 1999']);
    expect(data.size).toBe(KEYS_IN_FORCE);
  });

  test('that was killed leaves a set that goes by itself', async () => {
    object.put(manyNames(2_000));
    object.pieceBytes = 1_000;
    const killed = new Promise<never>(() => {});
    let adds = 0;
    const reached = Promise.withResolvers<undefined>();
    void load({
      cache: stepped(cache, async () => {
        adds += 1;
        if (adds < 20) return;
        reached.resolve(undefined);
        await killed;
      }),
    });
    await reached.promise;
    expect(data.size).toBe(1);
    clock.advance(120_000);
    // Later writes sweep up what nobody reads.
    for (let count = 0; count < 2; count += 1) await cache.apply([]);
    expect(data.size).toBe(0);
  });

  test('keeps its set for as long as it goes on', async () => {
    object.put(manyNames(500));
    object.pieceBytes = 1_000;
    object.before = () => clock.stall(60_000);
    expect(await load()).toMatchObject({ outcome: 'loaded', list: { names: 500 } });
    clock.advance(86_400_000);
    expect(await judge(cache, ['client 0', 'client 499', 'clean'])).toEqual(['client 0', 'client 499']);
  });

  test('reads the object as it was when it was opened, if it changes meanwhile', async () => {
    object.put('ann\n');
    let changed = false;
    object.before = (what) => {
      if (what === 'piece' && !changed) object.put('bob\n');
      changed ||= what === 'piece';
    };
    expect(await load()).toMatchObject({ list: { etag: ListObject.etagOf('ann\n') } });
    expect(await judge(cache, ['ann', 'bob'])).toEqual(['ann']);
    expect(await load()).toMatchObject({ outcome: 'loaded', list: { etag: ListObject.etagOf('bob\n') } });
    expect(await judge(cache, ['ann', 'bob'])).toEqual(['bob']);
  });

  test('tells how far it is, by names and by time', async () => {
    object.put(manyNames(250_000));
    const told: LoadProgress[] = [];
    const onProgress = (progress: LoadProgress): void => void told.push(progress);
    await load({ onProgress });
    expect(told.map(({ names }) => Math.floor(names / 100_000))).toEqual([1, 2]);
    expect(told[1]?.bytes).toBeLessThan(told[1]?.size ?? 0);
    object.put(manyNames(10_000));
    object.pieceBytes = 10_000;
    object.before = () => clock.stall(500);
    told.length = 0;
    await load({ onProgress });
    expect(told.length).toBeGreaterThan(2);
    expect(told.length).toBeLessThan(8);
  });
});
