import { beforeEach, describe, expect, test } from '@jest/globals';
import type { StoredEvent } from '../events.ts';
import { BankWorld, deposit, transfer } from './bank-world.ts';
import { checkSets, type ClientSets, type SinceName } from './sets.ts';

let world: BankWorld;
let first: StoredEvent;
let branch: StoredEvent;
let unheard: StoredEvent;
const acknowledged = new Set<StoredEvent>();

beforeEach(() => {
  world = new BankWorld();
  first = world.acknowledge(transfer('ada', 'bob'));
  branch = world.acknowledge(deposit('ada', 'Bonn'));
  acknowledged.clear();
  for (const event of [first, branch, world.acknowledge(transfer('bob', 'ada'))]) acknowledged.add(event);
  unheard = world.store(transfer('ada', 'cleo'));
});

function since(event: StoredEvent, name: string): SinceName {
  return { name, since: event.at };
}

function faults(ada: Partial<ClientSets>): readonly string[] {
  const sets = {
    client: 'ada',
    interactions: [since(first, 'bob')],
    branches: [since(branch, 'Bonn')],
    ...ada,
  };
  return checkSets([sets], world.storedByKey(), (event) => acknowledged.has(event)).map(
    ({ kind, subject, found }) => `${kind} ${subject}: ${found}`,
  );
}

test('what the acknowledged events imply, with or without what others do, is right', () => {
  expect(faults({})).toEqual([]);
  expect(faults({ interactions: [since(unheard, 'cleo'), since(first, 'bob')] })).toEqual([]);
});

describe('caught:', () => {
  test('a name that is missing', () => {
    expect(faults({ interactions: [] })).toEqual(['bad-set fetch/interactions/ada: bob is missing']);
    expect(faults({ branches: [] })).toEqual(['bad-set fetch/branches/ada: Bonn is missing']);
  });

  test('a name that no event implies', () => {
    const interactions = [since(unheard, 'nobody'), since(first, 'bob')];
    expect(faults({ interactions })).toEqual([
      'bad-set fetch/interactions/ada: nobody is there, and no stored event implies it',
    ]);
  });

  test('a time that is not the first', () => {
    expect(faults({ interactions: [{ name: 'bob', since: world.stored[2]?.at ?? '' }] })).toEqual([
      expect.stringContaining('is not when it first occurred'),
    ]);
  });

  test('a name that is there twice, and a wrong order', () => {
    expect(faults({ interactions: [since(first, 'bob'), since(first, 'bob')] })).toEqual([
      'bad-set fetch/interactions/ada: bob is there twice',
    ]);
    expect(faults({ interactions: [since(first, 'bob'), since(unheard, 'cleo')] })).toEqual([
      'bad-set fetch/interactions/ada: cleo stands behind an older one',
    ]);
  });
});
