import { clientsOf, keyOf, type StoredEvent } from '../events.ts';
import type { HttpClient } from '../http-client.ts';
import { type EventHistory, heard, type Ledger } from '../ledger.ts';
import { inTurn, readEvents } from '../reads.ts';
import type { Gathered } from '../recent.ts';
import { sendWrite } from '../send-write.ts';
import { checkAnswers, expectationOf } from './expectation.ts';
import { checkOne } from './lists.ts';
import type { Violation } from './violation.ts';

export interface AfterKillOptions {
  readonly http: HttpClient;
  readonly ledger: Ledger;
  readonly fraudsters: ReadonlySet<string>;
}

/** Acknowledged writes that are sent again after each kill. */
const RESENT = 5;

/**
 * The cheap checks, with the load beside them: what was just acknowledged is there, once; what was cut off is there
 * once or not at all; and some of it is sent again. Rejects with a ReadFailure.
 */
export async function checkAfterKill(
  { http, ledger, fraudsters }: AfterKillOptions,
  { touched, cut, acknowledged }: Gathered,
): Promise<readonly Violation[]> {
  const looked = [...new Set([...cut, ...acknowledged])];
  // The load goes on: what a client hears while the lists are read may explain what they show, and the other way round.
  const before = new Map(looked.map((history) => [history, expectationOf(history)]));
  const shown = await readShown(http, looked);
  const violations = looked.flatMap((history) => {
    const found = shown.get(nameIn(history) ?? '') ?? [];
    const [first] = found;
    const early = before.get(history);
    // Acknowledged while the lists were read: they need not show it yet, but what they show must be this.
    if (early?.state !== 'stored' && first === undefined) return [];
    return [
      ...checkOne(history, early?.state === 'stored' ? early : expectationOf(history), first),
      ...doublesOf(found),
    ];
  });
  for (const history of acknowledged.slice(-RESENT)) await sendAgain(http, ledger, history);
  return [...violations, ...touched.flatMap((history) => checkAnswers(history, fraudsters))];
}

/** Sends an acknowledged write once more; what is said to it is in the ledger then. */
export async function sendAgain(http: HttpClient, ledger: Ledger, history: EventHistory): Promise<void> {
  const stored = heard(history).find(({ said }) => said.kind === 'stored');
  if (stored !== undefined) await sendWrite(http, ledger, { body: stored.body, id: history.id });
}

/** The newest events of all clients concerned, by key, as often as a list shows them. */
async function readShown(
  http: HttpClient,
  histories: readonly EventHistory[],
): Promise<ReadonlyMap<string, readonly StoredEvent[]>> {
  const since = new Map<string, number>();
  for (const history of histories) {
    for (const { body } of history.attempts) {
      for (const client of clientsOf(body)) {
        since.set(client, Math.min(since.get(client) ?? Infinity, beginningOf(history)));
      }
    }
  }
  const lists = await inTurn([...since], async ([client, at]) => {
    const events = await readEvents(http, 'all', client, (page) => Date.parse(page.at(-1)?.at ?? '') < at);
    return Map.groupBy(events, keyOf);
  });
  const shown = new Map<string, readonly StoredEvent[]>();
  for (const [key, events] of lists.flatMap((list) => [...list])) {
    // Each client's list shows an event once; the longest says whether one of them shows it twice.
    if (events.length > (shown.get(key)?.length ?? 0)) shown.set(key, events);
  }
  return shown;
}

/** A time, in ms since the epoch, before which the event cannot have been stored. */
function beginningOf({ attempts }: EventHistory): number {
  return Math.min(...attempts.map(({ sentAt }) => sentAt));
}

function nameIn({ type, id }: EventHistory): string | undefined {
  return id === undefined ? undefined : keyOf({ type, id });
}

function doublesOf([first, ...more]: readonly StoredEvent[]): readonly Violation[] {
  if (first === undefined || more.length === 0) return [];
  const found = [first, ...more].map((event) => JSON.stringify(event)).join('; ');
  return [{ kind: 'double', subject: keyOf(first), said: 'once in each list', found }];
}
