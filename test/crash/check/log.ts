import { contentOf, factsOf, keyOf, parseEvent, type StoredEvent } from '../events.ts';
import type { StoredEvents } from './lists.ts';
import type { Violation } from './violation.ts';

/** An event as it was published or archived. The same one may come more than once: readers deduplicate by id. */
export interface Copy {
  readonly event: StoredEvent;
  /** Where it stands. */
  readonly place: string;
}

/** Reads one record of `long_term_storage`. Undefined when it is not an event. */
export function parseRecord(value: Uint8Array | string | null): StoredEvent | undefined {
  if (value === null) return undefined;
  const text = typeof value === 'string' ? value : new TextDecoder().decode(value);
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    // Whatever it is, it is no event; the caller reports it.
    return undefined;
  }
  if (typeof record !== 'object' || record === null) return undefined;
  const { operation, id, at, content } = record as Partial<Record<string, unknown>>;
  if (typeof operation !== 'string' || typeof at !== 'number' || typeof content !== 'object')
    return undefined;
  const type = operation.replace(/^bank\./, '');
  return parseEvent({ type, id, ...content, at: new Date(at).toISOString() });
}

/** Every stored event has a copy, every copy is of a stored event, and they agree. */
export function checkCopies(
  copies: readonly Copy[],
  stored: StoredEvents,
  kind: 'not-published' | 'not-archived',
): readonly Violation[] {
  const where = kind === 'not-published' ? 'long_term_storage' : 'the archive';
  const seen = new Set<string>();
  const wrong = copies.flatMap(({ event, place }): readonly Violation[] => {
    const key = keyOf(event);
    seen.add(key);
    const original = stored.get(key);
    const found = `${where}, ${place}: ${contentOf(event)} at ${event.at}`;
    if (original === undefined) return [{ kind: 'phantom', subject: key, said: 'stored nowhere', found }];
    if (factsOf(original) === factsOf(event)) return [];
    return [{ kind: 'different', subject: key, said: `stored as ${JSON.stringify(original)}`, found }];
  });
  const missing = [...stored]
    .filter(([key]) => !seen.has(key))
    .map(([key, event]): Violation => ({
      kind,
      subject: key,
      said: `stored as ${JSON.stringify(event)}`,
      found: `not in ${where}`,
    }));
  return [...wrong, ...missing];
}
