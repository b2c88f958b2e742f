import { beforeEach, describe, expect, test } from '@jest/globals';
import { BankWorld, deposit, transfer } from './bank-world.ts';
import { checkCopies, type Copy, parseRecord } from './log.ts';

let world: BankWorld;
let copies: Copy[];

beforeEach(() => {
  world = new BankWorld();
  world.acknowledge(transfer('ada', 'bob'));
  world.acknowledge(deposit('ada', 'Bonn'));
  copies = world.stored.map((event, offset) => ({ event, place: `offset ${offset}` }));
});

function faults(kind: 'not-published' | 'not-archived' = 'not-archived'): readonly string[] {
  return checkCopies(copies, world.storedByKey(), kind).map((fault) => `${fault.kind} ${fault.subject}`);
}

test('each event once, or more than once, is right', () => {
  expect(faults()).toEqual([]);
  copies.push(...copies);
  expect(faults()).toEqual([]);
});

describe('caught:', () => {
  test('an event without a copy', () => {
    copies.pop();
    expect(faults('not-published')).toEqual(['not-published operation/e2']);
    expect(faults('not-archived')).toEqual(['not-archived operation/e2']);
  });

  test('a copy of an event that is not stored', () => {
    world.stored.pop();
    expect(faults()).toEqual(['phantom operation/e2']);
  });

  test('a copy that differs', () => {
    const [event] = world.stored;
    if (event === undefined) throw new Error('nothing is stored');
    copies.push({ event: { ...event, at: '2020-01-01T00:00:00.000Z' }, place: 'offset 2' });
    expect(faults()).toEqual(['different transaction/e1']);
  });
});

describe('a record', () => {
  const at = Date.UTC(2026, 0, 1);
  const content = { sender: 'ada', receiver: 'bob', amount: 1 };

  test('is read as the event that it is of', () => {
    const record = { operation: 'bank.transaction', id: 'e1', at, bodyHash: 'h', content };
    expect(parseRecord(new TextEncoder().encode(JSON.stringify(record)))).toEqual({
      type: 'transaction',
      id: 'e1',
      at: '2026-01-01T00:00:00.000Z',
      ...content,
    });
  });

  test('that is no event is told from one', () => {
    expect(parseRecord(null)).toBeUndefined();
    expect(parseRecord('{')).toBeUndefined();
    expect(parseRecord('[]')).toBeUndefined();
    expect(parseRecord(JSON.stringify({ operation: 'bank.loan', id: 'e1', at, content }))).toBeUndefined();
  });
});
