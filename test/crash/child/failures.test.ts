import { describe, expect, test } from '@jest/globals';
import { CrashPoint } from './crash.ts';
import { failNowAndThen } from './faults.ts';
import type { Interceptor } from './intercept.ts';
import type { Moment, SabotageKind } from './orders.ts';
import { poison } from './poison.ts';
import { sabotage } from './sabotage.ts';

describe('a crash point', () => {
  /** What has happened, in order, when the third call has been made and settled. */
  async function story(moment: Moment, nth: number): Promise<readonly string[]> {
    const events: string[] = [];
    const crash = new CrashPoint(() => void events.push('died'));
    crash.arm({ call: 'port.write', moment, nth, delayMs: 0 });
    for (const number of [1, 2, 3]) {
      const result = crash.intercept({ name: 'port.write', args: [] }, async () => {
        events.push(`began ${number}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        events.push(`ended ${number}`);
      });
      await (result as Promise<void>);
      events.push(`heard ${number}`);
      crash.intercept({ name: 'port.read', args: [] }, () => undefined);
    }
    return events.slice(0, events.indexOf('died') + 1);
  }

  test('before a call: it has not begun', async () => {
    expect(await story('before', 2)).toEqual(['began 1', 'ended 1', 'heard 1', 'died']);
  });

  test('during a call: it has begun, and nobody heard of its end', async () => {
    expect(await story('during', 1)).toEqual(['began 1', 'died']);
  });

  test('after a call: it has ended, and nobody heard of it', async () => {
    expect((await story('after', 2)).slice(3)).toEqual(['began 2', 'ended 2', 'died']);
  });

  test('a call that throws at once is one that has ended', () => {
    const deaths: string[] = [];
    const crash = new CrashPoint(() => void deaths.push('died'));
    crash.arm({ call: 'port.write', moment: 'before', nth: 1, delayMs: 0 });
    const fail: Interceptor = (call, proceed) => crash.intercept(call, proceed);
    expect(() =>
      fail({ name: 'port.write', args: [] }, () => {
        throw new Error('closed');
      }),
    ).toThrow('closed');
    expect(deaths).toEqual(['died']);
  });
});

describe('faults', () => {
  async function outcomes(
    effect: 'none' | 'done',
  ): Promise<{ readonly said: string; readonly effects: number }> {
    const intercept = failNowAndThen([{ call: 'port.write', every: 4, burst: 2, effect }]);
    let effects = 0;
    let said = '';
    for (const name of [...Array<string>(8).fill('port.write'), 'port.read']) {
      try {
        await intercept({ name, args: [] }, () => Promise.resolve((effects += 1)));
        said += '+';
      } catch {
        said += '-';
      }
    }
    return { said, effects };
  }

  test('come in bursts, on one call', async () => {
    expect(await outcomes('none')).toEqual({ said: '++--++--+', effects: 5 });
  });

  test('may hide that the call has taken effect', async () => {
    expect(await outcomes('done')).toEqual({ said: '++--++--+', effects: 9 });
  });
});

describe('poison', () => {
  async function stores(call: string, list: readonly unknown[]): Promise<boolean> {
    try {
      await poison({ name: call, args: ['bank_operations', list] }, () => Promise.resolve());
      return true;
    } catch {
      return false;
    }
  }

  test('makes every batch fail that a poisoned event is in, and no other', async () => {
    const good = { _id: 'a', content: { amount: 151 } };
    const bad = { _id: 'b', content: { amount: 300 } };
    expect(await stores('document-store.insertMany', [good, bad])).toBe(false);
    expect(await stores('document-store.insertMany', [good, { _id: 'refused', content: {} }])).toBe(true);
    expect(await stores('event-store.insertAndAppend', [{ document: bad }])).toBe(false);
    expect(await stores('event-store.insertAndAppend', [{ document: good }])).toBe(true);
    expect(await stores('document-store.findByIds', [bad])).toBe(true);
  });
});

describe('sabotage', () => {
  const documents = [
    { _id: 'a', content: { amount: 5 } },
    { _id: 'b', content: { amount: 6 } },
  ];

  async function second(kind: SabotageKind, name: string, args: readonly unknown[] = []): Promise<unknown> {
    const intercept = sabotage({ kind, oneIn: 2 });
    const truth = (): Promise<unknown> => Promise.resolve(documents);
    expect(await intercept({ name, args }, truth)).toBe(documents);
    expect(await intercept({ name: 'port.other', args }, truth)).toBe(documents);
    return intercept({ name, args }, truth);
  }

  test('says that what it threw away is stored', async () => {
    expect(await second('forget-events', 'event-store.insertAndAppend', ['c', [1, 2]])).toEqual([
      'inserted',
      'inserted',
    ]);
    expect(await second('forget-records', 'event-log.append long_term_storage')).toBeUndefined();
    expect(await second('forget-names', 'cache.apply interactions')).toBe(true);
    expect(await second('forget-objects', 'object-store.put archive')).toMatchObject({ outcome: 'stored' });
  });

  test('shows what is not so', async () => {
    const [a, b] = documents;
    expect(await second('show-twice', 'document-store.find')).toEqual([a, a, b]);
    expect(await second('invent-event', 'document-store.find')).toEqual([
      { ...a, _id: 'nobody-sent-this' },
      b,
    ]);
    expect(await second('change-amount', 'document-store.find')).toEqual([
      { ...a, content: { amount: 1 } },
      b,
    ]);
  });
});
