import { beforeEach, describe, expect, test } from '@jest/globals';
import { BankWorld, deposit, transfer } from './bank-world.ts';
import { checkKept, checkStored, type ClientLists, readLists } from './lists.ts';

const CLIENTS = ['ada', 'bob', 'cleo'];

let world: BankWorld;

beforeEach(() => {
  world = new BankWorld();
  world.acknowledge(transfer('ada', 'bob', 1));
  world.acknowledge(deposit('ada', 'Bonn', 2));
  world.acknowledge(transfer('bob', 'cleo', 3));
});

/** Kinds and subjects of what is wrong with what the lists show. */
function faults(): readonly string[] {
  const { stored, violations } = world.read(CLIENTS);
  return [...violations, ...checkStored(world.ledger, stored)].map(
    ({ kind, subject }) => `${kind} ${subject}`,
  );
}

/** The same for lists that do not show what is stored. */
function faultsOf(change: (lists: ClientLists, place: number) => ClientLists): readonly string[] {
  const { stored, violations } = readLists(world.lists(CLIENTS).map(change));
  return [...violations, ...checkStored(world.ledger, stored)].map(
    ({ kind, subject }) => `${kind} ${subject}`,
  );
}

test('a platform that keeps its word has no faults', () => {
  world.tell(transfer('ada', 'bob', 4), 'cut-and-stored', { kind: 'cut' });
  world.store(transfer('ada', 'bob', 4), 'cut-and-stored');
  world.tell(transfer('ada', 'bob', 5), 'cut-and-not-stored', { kind: 'cut' });
  world.tell(transfer('cleo', 'bob', 6), undefined, { kind: 'cut' });
  world.store(transfer('cleo', 'bob', 6), 'made-by-the-platform');
  expect(faults()).toEqual([]);
});

describe('caught:', () => {
  test('an acknowledged event that is not there', () => {
    world.stored.splice(1, 1);
    expect(faults()).toEqual(['lost operation/e2']);
  });

  test('an acknowledged event that one of its clients does not see', () => {
    expect(
      faultsOf((lists) => (lists.client === 'bob' ? { ...lists, all: [], transactions: [] } : lists)),
    ).toEqual(['lost transaction/e1', 'lost transaction/e3']);
  });

  test('an event that a list shows twice', () => {
    const twice = faultsOf((lists) => ({ ...lists, all: lists.all.flatMap((event) => [event, event]) }));
    expect(new Set(twice)).toEqual(
      new Set(['double transaction/e1', 'double operation/e2', 'double transaction/e3']),
    );
  });

  test('an event that nobody sent', () => {
    world.store(transfer('ada', 'bob', 9), 'nobody');
    expect(faults()).toEqual(['phantom transaction/nobody']);
  });

  test('one write without an id that is stored twice', () => {
    world.tell(transfer('ada', 'cleo', 7), undefined, { kind: 'cut' });
    world.store(transfer('ada', 'cleo', 7), 'first');
    world.store(transfer('ada', 'cleo', 7), 'second');
    expect(faults()).toEqual(['phantom transaction/first']);
  });

  test('a refused event that is stored', () => {
    world.tell(transfer('ada', 'bob', 8), 'refused', { kind: 'refused', id: 'refused' });
    world.store(transfer('ada', 'bob', 8), 'refused');
    expect(faults()).toEqual(['phantom transaction/refused']);
  });

  test('an event that is stored though nothing was attempted', () => {
    world.tell(transfer('ada', 'bob', 8), 'shed', { kind: 'not-attempted' });
    world.store(transfer('ada', 'bob', 8), 'shed');
    expect(faults()).toEqual(['phantom transaction/shed']);
  });

  test('another content than was sent, of one that was cut', () => {
    world.tell(transfer('ada', 'bob', 8), 'changed', { kind: 'cut' });
    world.store(transfer('ada', 'bob', 80), 'changed');
    expect(faults()).toEqual(['different transaction/changed']);
  });

  test('another content than was acknowledged', () => {
    const [event, ...others] = world.stored;
    if (event === undefined) throw new Error('nothing is stored');
    world.stored.splice(0, 3, { ...event, amount: 100 }, ...others);
    expect(faults()).toEqual(['different transaction/e1']);
  });

  test('an event that two lists show differently', () => {
    const faulty = faultsOf((lists, place) =>
      place === 0 ? { ...lists, all: lists.all.map((event) => ({ ...event, amount: 100 })) } : lists,
    );
    expect(faulty).toContain('different transaction/e1');
  });

  test('a list out of order, an event of others, and lists that disagree', () => {
    expect(faultsOf((lists) => ({ ...lists, all: lists.all.toReversed() }))).toContain(
      'bad-list fetch/all/ada',
    );
    const stranger = world.stored[1];
    expect(
      faultsOf((lists) =>
        lists.client === 'cleo' && stranger !== undefined ? { ...lists, operations: [stranger] } : lists,
      ),
    ).toEqual(['bad-list fetch/operations/cleo', 'bad-list cleo']);
    expect(faultsOf((lists) => ({ ...lists, operations: [] }))).toEqual(['bad-list ada']);
  });

  test('what was shown and is gone, or has changed', () => {
    const before = world.storedByKey();
    const [first, second] = world.stored;
    if (first === undefined || second === undefined) throw new Error('nothing is stored');
    world.stored.splice(0, 2, { ...second, at: first.at });
    const faulty = checkKept(before, world.storedByKey(), 'before');
    expect(faulty.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      'lost transaction/e1',
      'different operation/e2',
    ]);
  });
});
