import type { StoredEvent } from '../events.ts';
import type { StoredEvents } from './lists.ts';
import type { Violation } from './violation.ts';

/** A name in a set, with the time at which it first occurred. */
export interface SinceName {
  readonly name: string;
  readonly since: string;
}

/** All pages of a client's interactions and branches, in the order in which they came. */
export interface ClientSets {
  readonly client: string;
  readonly interactions: readonly SinceName[];
  readonly branches: readonly SinceName[];
}

/**
 * Holds the sets against the events that imply them: all that the acknowledged ones imply, and nothing that no
 * stored one does. A stored event that nobody was told of may be in the sets or not.
 */
export function checkSets(
  sets: readonly ClientSets[],
  stored: StoredEvents,
  isAcknowledged: (event: StoredEvent) => boolean,
): readonly Violation[] {
  const implied = impliedBy(stored, isAcknowledged);
  return sets.flatMap(({ client, interactions, branches }) => [
    ...checkSet(`fetch/interactions/${client}`, interactions, implied.get(`interactions ${client}`)),
    ...checkSet(`fetch/branches/${client}`, branches, implied.get(`branches ${client}`)),
  ]);
}

/** The times of the events that imply a name. */
interface Times {
  readonly acknowledged: Set<string>;
  readonly stored: Set<string>;
}

type ImpliedNames = ReadonlyMap<string, Times>;

function impliedBy(
  stored: StoredEvents,
  isAcknowledged: (event: StoredEvent) => boolean,
): ReadonlyMap<string, ImpliedNames> {
  const sets = new Map<string, Map<string, Times>>();
  for (const event of stored.values()) {
    const acknowledged = isAcknowledged(event);
    for (const [set, name] of namesOf(event)) {
      const names = sets.get(set) ?? new Map<string, Times>();
      const times = names.get(name) ?? { acknowledged: new Set<string>(), stored: new Set<string>() };
      times.stored.add(event.at);
      if (acknowledged) times.acknowledged.add(event.at);
      sets.set(set, names.set(name, times));
    }
  }
  return sets;
}

function namesOf(event: StoredEvent): readonly (readonly [set: string, name: string])[] {
  if (event.type === 'operation') return [[`branches ${event.client}`, event.branch]];
  const { sender, receiver } = event;
  if (sender === receiver) return [];
  return [
    [`interactions ${sender}`, receiver],
    [`interactions ${receiver}`, sender],
  ];
}

function checkSet(
  set: string,
  names: readonly SinceName[],
  implied: ImpliedNames = new Map(),
): readonly Violation[] {
  const shown = new Set(names.map(({ name }) => name));
  const missing = [...implied]
    .filter(([name, { acknowledged }]) => acknowledged.size > 0 && !shown.has(name))
    .map(([name]) => `${name} is missing`);
  const wrong = names.flatMap(({ name, since }, place) => {
    const before = names[place - 1];
    const times = implied.get(name);
    const twice = names.findIndex((other) => other.name === name) < place;
    return [
      ...(times === undefined ? [`${name} is there, and no stored event implies it`] : []),
      ...(times !== undefined && !isFirst(since, times)
        ? [`${name} since ${since} is not when it first occurred`]
        : []),
      ...(before !== undefined && before.since < since ? [`${name} stands behind an older one`] : []),
      ...(twice ? [`${name} is there twice`] : []),
    ];
  });
  const said = 'exactly what the events imply, newest first';
  return [...missing, ...wrong].map((found): Violation => ({ kind: 'bad-set', subject: set, said, found }));
}

/** The time of a stored event, and none that was acknowledged is earlier. */
function isFirst(since: string, { acknowledged, stored }: Times): boolean {
  return stored.has(since) && [...acknowledged].every((at) => at >= since);
}
