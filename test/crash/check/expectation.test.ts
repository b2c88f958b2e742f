import { beforeEach, describe, expect, test } from '@jest/globals';
import type { EventHistory, Said } from '../ledger.ts';
import { BankWorld, deposit, transfer } from './bank-world.ts';
import { checkAnswers, expectationOf } from './expectation.ts';
import type { ViolationKind } from './violation.ts';

const BODY = transfer('ada', 'bob');
const OTHER = transfer('ada', 'bob', 2);
const FRAUD = transfer('ada', 'mallory');
const CUT: Said = { kind: 'cut' };
const REUSED: Said = { kind: 'key-reused', id: 'e1' };
const REFUSED: Said = { kind: 'refused', id: 'e1' };
const PARKED: Said = { kind: 'parked', location: '/events/bank.transaction/e1', id: 'e1' };

let world: BankWorld;

beforeEach(() => {
  world = new BankWorld();
});

function kinds(history: EventHistory): readonly ViolationKind[] {
  return checkAnswers(history, new Set(['mallory'])).map(({ kind }) => kind);
}

function acknowledged(status: 200 | 201 = 201, body = BODY): Said {
  return { kind: 'stored', status, event: world.stored[0] ?? world.store(body, 'e1') };
}

describe('answers that go together', () => {
  test('a first one, resends, another body, and one that was cut', () => {
    world.tell(BODY, 'e1', CUT);
    world.tell(BODY, 'e1', acknowledged(200));
    world.tell(OTHER, 'e1', REUSED);
    const history = world.tell(BODY, 'e1', acknowledged(200));
    expect(kinds(history)).toEqual([]);
    expect(expectationOf(history)).toEqual({ state: 'stored', event: world.stored[0] });
  });

  test('a refusal that stays one', () => {
    world.tell(FRAUD, 'e1', REFUSED);
    const history = world.tell(FRAUD, 'e1', REFUSED);
    expect(kinds(history)).toEqual([]);
    expect(expectationOf(history)).toEqual({ state: 'absent' });
  });

  test('two that were sent at the same moment, the later one answered first', () => {
    const one = world.ledger.send(BODY, 'e1', 0);
    const two = world.ledger.send(BODY, 'e1', 0);
    world.ledger.answer(two.history, two.attempt, acknowledged(200));
    world.ledger.answer(one.history, one.attempt, acknowledged(201));
    expect(kinds(one.history)).toEqual([]);
  });

  test('what was never attempted must not be there, what is unknown may be', () => {
    const never = world.tell(BODY, 'e1', { kind: 'not-attempted' });
    expect(expectationOf(never)).toEqual({ state: 'absent' });
    const unknown = world.tell(OTHER, 'e1', { kind: 'unknown' });
    expect(expectationOf(unknown)).toEqual({ state: 'open', bodies: [OTHER], promised: false });
  });

  test("a parked one must be decided; a body whose key is another one's is out of it", () => {
    world.tell(BODY, 'e1', PARKED);
    const history = world.tell(OTHER, 'e1', REUSED);
    expect(kinds(history)).toEqual([]);
    expect(expectationOf(history)).toEqual({ state: 'open', bodies: [BODY], promised: true });
  });
});

test('what an administrator has discarded must not be there', () => {
  const history = world.tell(BODY, 'e1', PARKED);
  world.ledger.discard(history, 'asked');
  expect(expectationOf(history)).toMatchObject({ state: 'open' });
  world.ledger.discard(history, 'done');
  expect(expectationOf(history)).toEqual({ state: 'absent' });
  expect(kinds(world.tell(BODY, 'e1', acknowledged()))).toEqual(['contradiction']);
});

describe('caught:', () => {
  test('another content than was sent', () => {
    expect(kinds(world.tell(OTHER, 'e1', acknowledged()))).toEqual(['different']);
  });

  test('another id than was sent', () => {
    expect(kinds(world.tell(BODY, 'e2', acknowledged()))).toEqual(['different']);
  });

  test('a resend that is answered with another time', () => {
    world.tell(BODY, 'e1', acknowledged());
    const later = { ...world.store(BODY, 'e1') };
    const history = world.tell(BODY, 'e1', { kind: 'stored', status: 200, event: later });
    expect(kinds(history)).toEqual(['different']);
  });

  test('a resend that is stored as new', () => {
    world.tell(BODY, 'e1', acknowledged(201));
    expect(kinds(world.tell(BODY, 'e1', acknowledged(201)))).toEqual(['double']);
  });

  test('one that is new although it was there already', () => {
    world.tell(BODY, 'e1', CUT);
    world.tell(BODY, 'e1', acknowledged(200));
    expect(kinds(world.tell(BODY, 'e1', acknowledged(201)))).toEqual(['double']);
  });

  test('an acknowledgement in spite of the fraud list, and a refusal without it', () => {
    expect(kinds(world.tell(FRAUD, 'e1', acknowledged(201, FRAUD)))).toEqual(['wrong-verdict']);
    expect(kinds(world.tell(BODY, 'e2', { kind: 'refused', id: 'e2' }))).toEqual(['wrong-verdict']);
    const withdrawal = { ...deposit('mallory', 'Bonn'), operationType: 'WITHDRAW' as const };
    const stored: Said = { kind: 'stored', status: 201, event: world.store(withdrawal, 'e3') };
    expect(kinds(world.tell(withdrawal, 'e3', stored))).toEqual(['wrong-verdict']);
  });

  test('a refusal that becomes an acknowledgement', () => {
    world.tell(FRAUD, 'e1', REFUSED);
    expect(kinds(world.tell(FRAUD, 'e1', acknowledged(201, FRAUD)))).toContain('contradiction');
  });

  test('a key that is said to be reused by its own body, or by nobody', () => {
    world.tell(BODY, 'e1', acknowledged());
    expect(kinds(world.tell(BODY, 'e1', REUSED))).toEqual(['contradiction']);
    expect(kinds(world.tell(BODY, 'e9', { kind: 'key-reused', id: 'e9' }))).toEqual(['contradiction']);
    world.tell(BODY, 'e8', { kind: 'not-attempted' });
    expect(kinds(world.tell(OTHER, 'e8', { kind: 'key-reused', id: 'e8' }))).toEqual(['contradiction']);
  });

  test('an event that is discarded though nobody asked for it', () => {
    const history = world.tell(BODY, 'e1', { kind: 'discarded', id: 'e1' });
    expect(kinds(history)).toEqual(['contradiction']);
    world.ledger.discard(history, 'asked');
    expect(kinds(history)).toEqual([]);
  });

  test('an answer that must not be given', () => {
    expect(kinds(world.tell(BODY, 'e1', { kind: 'odd', what: '500 INTERNAL' }))).toEqual(['odd-answer']);
  });

  test('an id that the platform gives to two events', () => {
    world.tell(BODY, undefined, acknowledged());
    expect(kinds(world.tell(BODY, undefined, acknowledged()))).toEqual(['odd-answer']);
  });
});
