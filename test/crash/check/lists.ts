import { clientsOf, contentOf, factsOf, keyOf, type StoredEvent } from '../events.ts';
import type { EventHistory, Ledger } from '../ledger.ts';
import { type Expectation, expectationOf, nameOf } from './expectation.ts';
import { foundOf, saidOf, type Violation } from './violation.ts';

/** All pages of a client's lists, in the order in which they came. */
export interface ClientLists {
  readonly client: string;
  readonly all: readonly StoredEvent[];
  readonly transactions: readonly StoredEvent[];
  readonly operations: readonly StoredEvent[];
}

/** Every event that the lists show, by its key. */
export type StoredEvents = ReadonlyMap<string, StoredEvent>;

/** Takes the events out of the lists and says where the lists themselves are wrong. */
export function readLists(lists: readonly ClientLists[]): {
  readonly stored: StoredEvents;
  readonly violations: readonly Violation[];
} {
  const stored = new Map<string, StoredEvent>();
  const violations: Violation[] = [];
  for (const { client, all, transactions, operations } of lists) {
    violations.push(...faultsOf(`fetch/all/${client}`, client, all));
    violations.push(...faultsOf(`fetch/transactions/${client}`, client, transactions));
    violations.push(...faultsOf(`fetch/operations/${client}`, client, operations));
    violations.push(...disagreements(client, all, [...transactions, ...operations]));
    for (const event of all) {
      const key = keyOf(event);
      const known = stored.get(key);
      if (known === undefined) stored.set(key, event);
      else if (factsOf(known) !== factsOf(event)) violations.push(twoFaces(key, known, event));
    }
  }
  return { stored, violations: [...violations, ...missingWithPartner(lists, stored)] };
}

/** Holds what the lists show against all that the clients sent and were told. */
export function checkStored(ledger: Ledger, stored: StoredEvents): readonly Violation[] {
  const violations: Violation[] = [];
  const explained = new Set<string>();
  const unnamed: EventHistory[] = [];
  for (const history of ledger.histories) {
    if (history.id === undefined) {
      unnamed.push(history);
      continue;
    }
    const key = keyOf({ type: history.type, id: history.id });
    explained.add(key);
    violations.push(...checkOne(history, expectationOf(history), stored.get(key)));
  }
  const unexplained = [...stored].filter(([key]) => !explained.has(key)).map(([, event]) => event);
  return [...violations, ...checkUnnamed(unnamed, unexplained)];
}

/** Holds the event that is stored under an id, if there is one, against what its clients were told. */
export function checkOne(
  history: EventHistory,
  expectation: Expectation,
  found: StoredEvent | undefined,
): readonly Violation[] {
  const fault = (kind: Violation['kind']): readonly Violation[] => [
    {
      kind,
      subject: nameOf(history),
      said: saidOf(history),
      found: foundOf(found === undefined ? [] : [found]),
    },
  ];
  switch (expectation.state) {
    case 'stored':
      if (found === undefined) return fault('lost');
      return factsOf(found) === factsOf(expectation.event) ? [] : fault('different');
    case 'absent':
      return found === undefined ? [] : fault('phantom');
    case 'open': {
      if (found === undefined) return [];
      const content = contentOf(found);
      return expectation.bodies.some((body) => contentOf(body) === content) ? [] : fault('different');
    }
  }
}

/** What was there before must be there afterwards, unchanged. */
export function checkKept(before: StoredEvents, after: StoredEvents, when: string): readonly Violation[] {
  return [...before].flatMap(([key, event]): readonly Violation[] => {
    const later = after.get(key);
    if (later !== undefined && factsOf(later) === factsOf(event)) return [];
    return [
      {
        kind: later === undefined ? 'lost' : 'different',
        subject: key,
        said: `shown ${when}: ${JSON.stringify(event)}`,
        found: foundOf(later === undefined ? [] : [later]),
      },
    ];
  });
}

/** Events without a known id: each may explain one stored event with its content. */
function checkUnnamed(
  unnamed: readonly EventHistory[],
  unexplained: readonly StoredEvent[],
): readonly Violation[] {
  const waiting = new Map<string, number>();
  for (const history of unnamed) {
    const expectation = expectationOf(history);
    const [body] = expectation.state === 'open' ? expectation.bodies : [];
    if (body !== undefined) waiting.set(contentOf(body), (waiting.get(contentOf(body)) ?? 0) + 1);
  }
  return unexplained.flatMap((event): readonly Violation[] => {
    const content = contentOf(event);
    const left = waiting.get(content) ?? 0;
    if (left > 0) {
      waiting.set(content, left - 1);
      return [];
    }
    const said = 'no client sent this, or it was told already that it is stored under another id';
    return [{ kind: 'phantom', subject: keyOf(event), said, found: JSON.stringify(event) }];
  });
}

/** Doubles, foreign events and a wrong order in one list. */
function faultsOf(list: string, client: string, events: readonly StoredEvent[]): readonly Violation[] {
  const violations: Violation[] = [];
  const seen = new Set<string>();
  let before = '9';
  for (const event of events) {
    const key = keyOf(event);
    const found = JSON.stringify(event);
    if (seen.has(key)) violations.push({ kind: 'double', subject: key, said: `once in ${list}`, found });
    if (!clientsOf(event).includes(client)) {
      violations.push({ kind: 'bad-list', subject: list, said: `events of ${client} only`, found });
    }
    if (event.at > before) {
      violations.push({ kind: 'bad-list', subject: list, said: `newest first, behind ${before}`, found });
    }
    seen.add(key);
    before = event.at;
  }
  return violations;
}

function disagreements(
  client: string,
  all: readonly StoredEvent[],
  parts: readonly StoredEvent[],
): readonly Violation[] {
  const inAll = new Map(all.map((event) => [keyOf(event), event]));
  const inParts = new Map(parts.map((event) => [keyOf(event), event]));
  const only = (one: ReadonlyMap<string, StoredEvent>, other: ReadonlyMap<string, StoredEvent>): string[] =>
    [...one].filter(([key]) => !other.has(key)).map(([, event]) => JSON.stringify(event));
  const said = 'the same events in fetch/all as in fetch/transactions and fetch/operations';
  return [
    ...only(inAll, inParts).map((event) => `only in fetch/all: ${event}`),
    ...only(inParts, inAll).map((event) => `not in fetch/all: ${event}`),
  ].map((found): Violation => ({ kind: 'bad-list', subject: client, said, found }));
}

function twoFaces(key: string, one: StoredEvent, other: StoredEvent): Violation {
  return { kind: 'different', subject: key, said: JSON.stringify(one), found: JSON.stringify(other) };
}

/** A transaction is in the lists of both its clients. */
function missingWithPartner(lists: readonly ClientLists[], stored: StoredEvents): readonly Violation[] {
  const shown = new Map(lists.map(({ client, all }) => [client, new Set(all.map(keyOf))]));
  return [...stored].flatMap(([key, event]) =>
    clientsOf(event)
      .filter((client) => shown.get(client)?.has(key) === false)
      .map((client): Violation => ({
        kind: 'lost',
        subject: key,
        said: `in the lists of ${clientsOf(event).join(' and ')}`,
        found: `not in fetch/all/${client}`,
      })),
  );
}
