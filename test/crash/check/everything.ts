import { keyOf, type StoredEvent } from '../events.ts';
import type { HttpClient } from '../http-client.ts';
import { type EventHistory, heard, type Ledger } from '../ledger.ts';
import { inTurn, readLists as fetchLists, readSets } from '../reads.ts';
import { sendWrite } from '../send-write.ts';
import { CLIENTS, FRAUDSTERS } from '../writes.ts';
import { sendAgain } from './after-kill.ts';
import { settleDeadLetters } from './dead-letters.ts';
import { checkAnswers } from './expectation.ts';
import { checkKept, checkStored, readLists, type StoredEvents } from './lists.ts';
import { checkCopies } from './log.ts';
import { checkSets } from './sets.ts';
import { checkDecided, followParked, settleOpen } from './settle.ts';
import { type KeepingStores, readStores } from './stores.ts';
import type { Violation } from './violation.ts';

const RESENDS_AT_ONCE = 32;
const EVERYBODY = [...CLIENTS, ...FRAUDSTERS];

/** The two ports of a platform that people use. */
export interface Ports {
  readonly http: HttpClient;
  readonly admin: HttpClient;
}

/** What was found, and what is stored as the lists show it. */
export interface Found {
  readonly violations: readonly Violation[];
  readonly stored: StoredEvents;
}

/** Holds all lists against the ledger. Nobody may write meanwhile. */
export async function checkLists(http: HttpClient, ledger: Ledger): Promise<Found> {
  const { stored, violations } = readLists(await fetchLists(http, EVERYBODY));
  return { stored, violations: [...violations, ...checkStored(ledger, stored)] };
}

/** Holds all interactions and branches against what is stored. */
export async function checkNames(
  http: HttpClient,
  ledger: Ledger,
  stored: StoredEvents,
): Promise<readonly Violation[]> {
  return checkSets(await readSets(http, EVERYBODY), stored, (event) => isAcknowledged(ledger, event));
}

/**
 * Everything, of a platform that runs and that nobody else writes to: all is brought to a decision, sent again, and
 * held against the lists before and after.
 */
export async function checkEverything({ http, admin }: Ports, ledger: Ledger): Promise<Found> {
  const first = await checkLists(http, ledger);
  const parked = await followParked(http, ledger);
  const setAside = parked.decided
    .filter(({ state }) => state === 'DEAD_LETTER')
    .map(({ history }) => history);
  const deadLetters = await settleDeadLetters(admin, ledger, setAside);
  const open = await settleOpen(http, ledger);
  const decided = await followParked(http, ledger);
  await inTurn(
    ledger.histories.filter(hasStored),
    (history) => sendAgain(http, ledger, history),
    RESENDS_AT_ONCE,
  );
  const last = await checkLists(http, ledger);
  const isStored = ({ type, id = '' }: EventHistory): boolean => last.stored.has(keyOf({ type, id }));
  const fraudsters = new Set(FRAUDSTERS);
  return {
    stored: last.stored,
    violations: [
      ...first.violations,
      ...parked.violations,
      ...deadLetters,
      ...open,
      ...decided.violations,
      ...checkKept(first.stored, last.stored, 'before everything was sent again'),
      ...last.violations,
      ...ledger.histories.flatMap((history) => checkAnswers(history, fraudsters)),
      ...checkDecided(decided.decided, isStored),
      ...(await checkNames(http, ledger, last.stored)),
    ],
  };
}

/** Decisions that are asked for again when the fraud list is another one. */
const ASKED_AGAIN = 300;

/** The first decision about an event holds, whatever the fraud list says by now: some are asked for again. */
export async function checkDecisionsStay(http: HttpClient, ledger: Ledger): Promise<readonly Violation[]> {
  const decided = ledger.histories.flatMap((history) => {
    const decision = heard(history).find(({ said }) => said.kind === 'stored' || said.kind === 'refused');
    return decision === undefined ? [] : [{ history, ...decision }];
  });
  const some = ['stored', 'refused'].flatMap((kind) =>
    decided.filter(({ said }) => said.kind === kind).slice(-ASKED_AGAIN),
  );
  await inTurn(
    some,
    ({ history, body }) => sendWrite(http, ledger, { body, id: history.id }),
    RESENDS_AT_ONCE,
  );
  // As it was when they were decided.
  const fraudsters = new Set(FRAUDSTERS);
  return some.flatMap(({ history }) => checkAnswers(history, fraudsters));
}

/** What is wrong with the log and the archive, and what is not in them yet and may come. */
export interface StoresFound {
  readonly violations: readonly Violation[];
  readonly late: readonly Violation[];
}

/** The log and the archive, against what the lists have shown. Nobody may write meanwhile. */
export async function checkStores(
  stores: KeepingStores,
  ledger: Ledger,
  stored: StoredEvents,
): Promise<StoresFound> {
  const { published, archived, violations } = await readStores(stores);
  const unpublished = checkCopies(published, stored, 'not-published');
  const unarchived = checkCopies(archived, stored, 'not-archived');
  const mayCome = ({ kind, subject }: Violation): boolean => {
    const event = stored.get(subject);
    // Published before it was acknowledged; nobody promised when it is archived.
    return (
      kind === 'not-archived' ||
      (kind === 'not-published' && event !== undefined && !isAcknowledged(ledger, event))
    );
  };
  const all = [...unpublished, ...unarchived];
  return {
    violations: [...violations, ...all.filter((violation) => !mayCome(violation))],
    late: all.filter(mayCome),
  };
}

function hasStored(history: EventHistory): boolean {
  return heard(history).some(({ said }) => said.kind === 'stored');
}

function isAcknowledged(ledger: Ledger, { type, id }: StoredEvent): boolean {
  const history = ledger.find(type, id);
  return history !== undefined && hasStored(history);
}
