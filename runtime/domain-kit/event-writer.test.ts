import { beforeEach, describe, expect, test } from '@jest/globals';
import { FakeCache } from '../../test/helpers/fake-cache.ts';
import { fakeDocuments, fakeEvents, fakeLog } from '../../test/helpers/fake-stores.ts';
import { Faults } from '../../test/helpers/fakes.ts';
import { ManualClock } from '../../test/helpers/manual-clock.ts';
import type { StoredDocument } from '../ports/document-store.ts';
import { PortError } from '../ports/port-error.ts';
import type { Call, Discard } from './domain.ts';
import { type EventRecord, fromDocument, LONG_TERM_STORAGE } from './event.ts';
import { eventWriter, type Judgement } from './event-writer.ts';
import { failed, type Outcome } from './outcome.ts';

interface Payment {
  readonly to: string;
}

interface Receipt {
  readonly id: string;
  readonly to: unknown;
  readonly at: number;
}

const POISON = 'poison';
const NOTHING_STORED: readonly unknown[] = [];

let clock: ManualClock;
let faults: Faults;
let documents: ReturnType<typeof fakeDocuments>;
let log: ReturnType<typeof fakeLog>;
let cache: FakeCache;
let judge: (payment: Payment) => Judgement;
let write: (calls: readonly (Call<Payment> | Discard)[]) => Promise<readonly Outcome<Receipt>[]>;

beforeEach(() => {
  clock = new ManualClock();
  faults = new Faults();
  documents = fakeDocuments(({ content }) => JSON.stringify(content).includes(POISON));
  log = fakeLog();
  cache = new FakeCache();
  judge = () => 'accept';
  write = writer();
});

function writer(judgeAll?: () => Promise<readonly Judgement[]>): typeof write {
  return eventWriter<Payment, Receipt>({
    operation: 'test.pay',
    collection: 'payments',
    ports: {
      events: fakeEvents(faults.wrap(documents.store), faults.wrap(log.log)),
      documents: faults.wrap(documents.store),
      log: faults.wrap(log.log),
      cache: faults.wrap(cache.port),
      clock,
      bootId: 'boot-1',
    },
    judge: judgeAll ?? ((payments) => Promise.resolve(payments.map((payment) => judge(payment)))),
    content: ({ to }) => ({ to }),
    lookup: ({ to }) => ({ clients: [to] }),
    derive: ({ content, at }) => [
      {
        op: 'addScored',
        key: 'paid',
        members: [{ member: JSON.stringify(content['to']), score: at }],
        keep: 'lowest',
      },
    ],
    respond: ({ id, content, at }) => ({ id, to: content['to'], at }),
  });
}

function pay(eventId: string, to = 'bob', bodyHash = `hash of ${to}`): Call<Payment> {
  return { request: { to }, eventId, bodyHash };
}

function stored(id: string): StoredDocument {
  const document = documents.documents.get(id);
  if (document === undefined) throw new Error(`${id} is not stored`);
  return document;
}

function record(id: string): EventRecord {
  return fromDocument(stored(id));
}

function published(): unknown[] {
  return log.records.map(({ topic, key, value }) => {
    expect(topic).toBe(LONG_TERM_STORAGE);
    const parsed = JSON.parse(new TextDecoder().decode(value ?? undefined)) as { id: string };
    expect(parsed.id).toBe(key);
    return parsed;
  });
}

describe('a new event', () => {
  test('is stored, cached and published before it is answered', async () => {
    const at = clock.now();
    expect(await write([pay('e1')])).toEqual([
      { verdict: 'INSERTED', response: { id: 'e1', to: 'bob', at } },
    ]);
    expect(record('e1')).toEqual({
      id: 'e1',
      bodyHash: 'hash of bob',
      verdict: 'INSERTED',
      at,
      bootId: 'boot-1',
      content: { to: 'bob' },
      lookup: { clients: ['bob'] },
    });
    expect(cache.members('paid')).toEqual(['"bob"']);
    expect(published()).toEqual([
      { operation: 'test.pay', id: 'e1', at, bodyHash: 'hash of bob', content: { to: 'bob' } },
    ]);
  });

  test('that is fraudulent is refused: stored without content, not cached, not published', async () => {
    judge = () => ({ refuse: 'FRAUDULENT' });
    const outcomes = await write([pay('e1', 'mallory', 'hash')]);
    expect(outcomes).toEqual([{ verdict: 'REFUSED', reason: 'FRAUDULENT' }]);
    expect(record('e1')).toMatchObject({ verdict: 'FRAUDULENT', content: {}, lookup: {} });
    expect(JSON.stringify(stored('e1'))).not.toContain('mallory');
    expect(cache.members('paid')).toEqual([]);
    expect(log.records).toEqual([]);
  });

  test('takes no other one of its batch with it when it is refused', async () => {
    judge = ({ to }) => (to === 'mallory' ? { refuse: 'FRAUDULENT' } : 'accept');
    const outcomes = await write([pay('e1', 'mallory'), pay('e2')]);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['REFUSED', 'INSERTED']);
    expect(log.records.map(({ key }) => key)).toEqual(['e2']);
  });
});

describe('an event that is sent again', () => {
  test('with the same body is answered as the first time, and published again', async () => {
    const [first] = await write([pay('e1')]);
    clock.advance(60_000);
    const [again] = await write([pay('e1')]);
    expect(again).toEqual({ ...first, verdict: 'DUPLICATED' });
    const [one, two] = published();
    expect(two).toEqual(one);
    expect(published()).toHaveLength(2);
  });

  test('with another body is a reuse of the key: nothing changes', async () => {
    await write([pay('e1')]);
    const before = structuredClone(record('e1'));
    expect(await write([pay('e1', 'eve')])).toEqual([{ verdict: 'KEY_REUSED' }]);
    expect(record('e1')).toEqual(before);
    expect(log.records).toHaveLength(1);
    expect(cache.members('paid')).toEqual(['"bob"']);
  });

  test('within one batch is told apart in the same way', async () => {
    const outcomes = await write([pay('e1'), pay('e1'), pay('e1', 'eve')]);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['INSERTED', 'DUPLICATED', 'KEY_REUSED']);
    expect(documents.documents.size).toBe(1);
    expect(new Set(published().map((value) => JSON.stringify(value))).size).toBe(1);
  });

  test('stays refused when it would be accepted now', async () => {
    judge = () => ({ refuse: 'FRAUDULENT' });
    await write([pay('e1')]);
    judge = () => 'accept';
    expect(await write([pay('e1')])).toEqual([{ verdict: 'REFUSED', reason: 'FRAUDULENT' }]);
    expect(record('e1')).toMatchObject({ verdict: 'FRAUDULENT', content: {} });
    expect(log.records).toEqual([]);
  });

  test('stays inserted when it would be refused now', async () => {
    const [first] = await write([pay('e1')]);
    judge = () => ({ refuse: 'FRAUDULENT' });
    expect(await write([pay('e1')])).toEqual([{ ...first, verdict: 'DUPLICATED' }]);
    expect(record('e1').content).toEqual({ to: 'bob' });
  });

  test('with another body is a reuse of the key also when the first one was refused', async () => {
    judge = ({ to }) => (to === 'mallory' ? { refuse: 'FRAUDULENT' } : 'accept');
    expect(await write([pay('e1', 'mallory'), pay('e1')])).toMatchObject([
      { verdict: 'REFUSED' },
      { verdict: 'KEY_REUSED' },
    ]);
    expect(await write([pay('e1')])).toEqual([{ verdict: 'KEY_REUSED' }]);
    expect(record('e1').verdict).toBe('FRAUDULENT');
  });
});

describe('a discard', () => {
  const discard = (eventId: string, to = 'bob'): Discard => ({
    discard: true,
    eventId,
    bodyHash: `hash of ${to}`,
  });

  test('of an unknown event is stored in its place, without judgement, and nothing is published', async () => {
    judge = () => {
      throw new Error('nothing is to be judged');
    };
    expect(await write([discard('e1')])).toEqual([{ verdict: 'DISCARDED' }]);
    expect(record('e1')).toMatchObject({ verdict: 'DISCARDED', content: {}, lookup: {}, bootId: 'boot-1' });
    expect(log.records).toEqual([]);
    expect(cache.applies).toBe(0);
  });

  test('is answered the same again, and so is the event', async () => {
    await write([discard('e1')]);
    expect(await write([discard('e1')])).toEqual([{ verdict: 'DISCARDED' }]);
    expect(await write([pay('e1')])).toEqual([{ verdict: 'DISCARDED' }]);
    expect(await write([pay('e1', 'eve'), discard('e1', 'eve')])).toEqual([
      { verdict: 'KEY_REUSED' },
      { verdict: 'KEY_REUSED' },
    ]);
    expect(record('e1').verdict).toBe('DISCARDED');
  });

  test('of a decided event changes nothing', async () => {
    judge = ({ to }) => (to === 'mallory' ? { refuse: 'FRAUDULENT' } : 'accept');
    const [first] = await write([pay('e1'), pay('e2', 'mallory')]);
    expect(await write([discard('e1'), discard('e2', 'mallory'), discard('e1', 'eve')])).toEqual([
      { ...first, verdict: 'DUPLICATED' },
      { verdict: 'REFUSED', reason: 'FRAUDULENT' },
      { verdict: 'KEY_REUSED' },
    ]);
    expect(record('e1').verdict).toBe('INSERTED');
    expect(record('e2').verdict).toBe('FRAUDULENT');
  });

  test('and the event in one batch: the first one decides', async () => {
    judge = ({ to }) => (to === 'mallory' ? { refuse: 'FRAUDULENT' } : 'accept');
    const outcomes = await write([
      pay('e1'),
      discard('e1'),
      discard('e2'),
      pay('e2'),
      pay('e3', 'mallory'),
      discard('e3', 'mallory'),
    ]);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual([
      'INSERTED',
      'DUPLICATED',
      'DISCARDED',
      'DISCARDED',
      'REFUSED',
      'REFUSED',
    ]);
    expect(new Set(log.records.map(({ key }) => key))).toEqual(new Set(['e1']));
  });

  test('takes its place among writes that cannot be judged', async () => {
    write = writer(() => Promise.reject(new PortError('unavailable', 'cache.contains', 'away')));
    const outcomes = await write([pay('e1'), discard('e2'), pay('e3')]);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['FAILED', 'DISCARDED', 'FAILED']);
    expect([...documents.documents.keys()]).toEqual(['e2']);
  });
});

describe('when the document store', () => {
  test('refuses content, only the item at fault fails', async () => {
    const calls = Array.from({ length: 9 }, (_, n) => pay(`e${n}`, n === 4 ? POISON : `name ${n}`));
    const outcomes = await write(calls);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(
      calls.map((_, n) => (n === 4 ? 'FAILED' : 'INSERTED')),
    );
    expect(outcomes[4]).toMatchObject({ cause: 'INVALID_REQUEST', attempted: false });
    expect([...documents.documents.keys()].sort()).toEqual(
      calls.flatMap((_, n) => (n === 4 ? [] : [`e${n}`])),
    );
    expect(log.records.map(({ key }) => key)).not.toContain('e4');
    // Halved, not tried one by one.
    expect(documents.inserts.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(calls.length)));
  });

  test.each(['unavailable', 'timeout'] as const)('is %s, the outcome is unknown', async (kind) => {
    faults.failNext('insertMany', new PortError(kind, 'document-store.insertMany', 'no primary'));
    const outcomes = await write([pay('e1'), pay('e2')]);
    const failure = expect.objectContaining({
      verdict: 'FAILED',
      cause: 'STORE_UNAVAILABLE',
      attempted: true,
    });
    expect(outcomes).toEqual([failure, failure]);
    expect(log.records).toEqual([]);
    expect((await write([pay('e1')]))[0]?.verdict).toBe('INSERTED');
  });

  test('loses its answer, a resend finds the event and publishes it', async () => {
    faults.failNext('insertMany', new PortError('timeout', 'document-store.insertMany', 'late'), 'done');
    const at = clock.now();
    expect((await write([pay('e1')]))[0]?.verdict).toBe('FAILED');
    clock.advance(1_000);
    expect(await write([pay('e1')])).toEqual([
      { verdict: 'DUPLICATED', response: { id: 'e1', to: 'bob', at } },
    ]);
    expect(published()).toHaveLength(1);
    expect(cache.members('paid')).toEqual(['"bob"']);
  });

  test('cannot be read for a duplicate, only the duplicates fail', async () => {
    await write([pay('e1')]);
    faults.failNext('findByIds', new PortError('unavailable', 'document-store.findByIds', 'away'));
    const outcomes = await write([pay('e1'), pay('e2')]);
    expect(outcomes[0]).toMatchObject({ verdict: 'FAILED', cause: 'STORE_UNAVAILABLE', attempted: true });
    expect(outcomes[1]?.verdict).toBe('INSERTED');
  });
});

describe('a failure after the insert', () => {
  test.each([
    ['append', 'LOG_UNAVAILABLE', 'none'],
    ['append', 'LOG_UNAVAILABLE', 'done'],
    ['apply', 'CACHE_UNAVAILABLE', 'none'],
    ['apply', 'CACHE_UNAVAILABLE', 'done'],
  ] as const)('of %s is FAILED with %s (effect: %s), and a resend heals it', async (call, cause, effect) => {
    faults.failNext(call, new PortError('unavailable', call, 'away'), effect);
    const at = clock.now();
    expect(await write([pay('e1')])).toEqual([
      expect.objectContaining({ verdict: 'FAILED', cause, attempted: true }),
    ]);
    clock.advance(5_000);
    expect(await write([pay('e1')])).toEqual([
      { verdict: 'DUPLICATED', response: { id: 'e1', to: 'bob', at } },
    ]);
    expect(cache.members('paid')).toEqual(['"bob"']);
    // Published is what was stored, with the time of the first try.
    expect(published().at(-1)).toMatchObject({ id: 'e1', at, content: { to: 'bob' } });
  });

  test('leaves the refusals of the same batch to be found by a resend', async () => {
    judge = ({ to }) => (to === 'mallory' ? { refuse: 'FRAUDULENT' } : 'accept');
    faults.failNext('append', new PortError('unavailable', 'event-log.append', 'away'));
    const batch = [pay('e1', 'mallory'), pay('e2')];
    expect((await write(batch)).map(({ verdict }) => verdict)).toEqual(['FAILED', 'FAILED']);
    judge = () => 'accept';
    expect((await write(batch)).map(({ verdict }) => verdict)).toEqual(['REFUSED', 'DUPLICATED']);
  });
});

describe('a judge that cannot tell', () => {
  test('fails its events as not attempted: nothing is stored', async () => {
    write = writer(() => Promise.reject(new PortError('unavailable', 'cache.contains', 'away')));
    expect(await write([pay('e1')])).toEqual([
      expect.objectContaining({ verdict: 'FAILED', cause: 'CACHE_UNAVAILABLE', attempted: false }),
    ]);
    expect([...documents.documents.values()]).toEqual(NOTHING_STORED);
    expect(log.records).toEqual(NOTHING_STORED);
  });

  test('for one event fails that one only', async () => {
    const unknown = failed('CACHE_UNAVAILABLE', 'the list is incomplete', false);
    judge = ({ to }) => (to === 'mallory' ? unknown : 'accept');
    const outcomes = await write([pay('e1', 'mallory'), pay('e2')]);
    expect(outcomes).toEqual([unknown, expect.objectContaining({ verdict: 'INSERTED' })]);
    expect([...documents.documents.keys()]).toEqual(['e2']);
  });

  test('answers what is decided already, in one look-up', async () => {
    judge = ({ to }) => (to === 'mallory' ? { refuse: 'FRAUDULENT' } : 'accept');
    const [first] = await write([pay('e1'), pay('e2', 'mallory')]);
    await write([{ discard: true, eventId: 'e3', bodyHash: 'hash of bob' }]);
    const unknown = failed('CACHE_UNAVAILABLE', 'the list is incomplete', false);
    judge = ({ to }) => (to === 'new' ? 'accept' : unknown);
    const before = documents.lookups.length;
    const outcomes = await write([
      pay('e1'),
      pay('e2', 'mallory'),
      pay('e3'),
      pay('e1', 'eve'),
      pay('e2', 'eve'),
      pay('e3', 'eve'),
      pay('e4'),
      pay('e5', 'new'),
    ]);
    expect(outcomes).toEqual([
      { ...first, verdict: 'DUPLICATED' },
      { verdict: 'REFUSED', reason: 'FRAUDULENT' },
      { verdict: 'DISCARDED' },
      { verdict: 'KEY_REUSED' },
      { verdict: 'KEY_REUSED' },
      { verdict: 'KEY_REUSED' },
      unknown,
      expect.objectContaining({ verdict: 'INSERTED' }),
    ]);
    expect(documents.lookups.slice(before)).toEqual([['e1', 'e2', 'e3', 'e1', 'e2', 'e3', 'e4']]);
  });

  test('and a store that cannot tell either leave it undecided', async () => {
    await write([pay('e1')]);
    const unknown = failed('CACHE_UNAVAILABLE', 'the list is incomplete', false);
    judge = () => unknown;
    faults.failNext('findByIds', new PortError('timeout', 'document-store.findByIds', 'late'));
    expect(await write([pay('e1')])).toEqual([unknown]);
  });

  test('with too few judgements fails the rest as a defect, unstored', async () => {
    write = writer(() => Promise.resolve(['accept']));
    const outcomes = await write([pay('e1'), pay('e2')]);
    expect(outcomes[1]).toMatchObject({ verdict: 'FAILED', cause: 'INTERNAL', attempted: false });
    expect([...documents.documents.keys()]).toEqual(['e1']);
  });

  test('with a defect rejects the whole batch, unstored', async () => {
    write = writer(() => Promise.reject(new TypeError('a defect')));
    await expect(write([pay('e1')])).rejects.toThrow('a defect');
    expect(documents.documents.size).toBe(0);
  });
});
