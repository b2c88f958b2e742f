import { setTimeout as sleep } from 'node:timers/promises';
import { contentOf, type EventBody } from '../events.ts';
import type { HttpAnswer, HttpClient, NoAnswer } from '../http-client.ts';
import { type EventHistory, heard, type Ledger } from '../ledger.ts';
import { inTurn } from '../reads.ts';
import { sendWrite } from '../send-write.ts';
import { nameOf } from './expectation.ts';
import { saidOf, type Violation } from './violation.ts';

/** So long it may take until everything is decided, once nothing fails any more. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 200;

/** What the platform says that became of an event. */
export interface DecidedState {
  readonly state: 'STORED' | 'REFUSED' | 'DISCARDED' | 'DEAD_LETTER';
  readonly history: EventHistory;
}

/** Follows the Location of each write that was parked until it is decided, or set aside. */
export async function followParked(
  http: HttpClient,
  ledger: Ledger,
): Promise<{ readonly decided: readonly DecidedState[]; readonly violations: readonly Violation[] }> {
  const parked = ledger.histories.flatMap((history) => {
    const last = heard(history).findLast(({ said }) => said.kind === 'parked');
    return last?.said.kind === 'parked' ? [{ history, location: last.said.location }] : [];
  });
  const end = performance.now() + PATIENCE_MS;
  const decided: DecidedState[] = [];
  const violations: Violation[] = [];
  await inTurn(parked, async ({ history, location }) => {
    const answer = await decisionAt(http, location, end);
    const state = stateIn(answer);
    if (state !== undefined) decided.push({ state, history });
    else violations.push(undecided(history, `${location} answers ${JSON.stringify(answer)}`));
  });
  return { decided, violations };
}

/**
 * What became of a parked write must agree with what its clients were told, and with what is stored; an administrator
 * has left no dead letter as it was.
 */
export function checkDecided(
  decided: readonly DecidedState[],
  isStored: (history: EventHistory) => boolean,
): readonly Violation[] {
  return decided.flatMap(({ state, history }): readonly Violation[] => {
    const answers = heard(history).map(({ said }) => said.kind);
    const found = `its state is ${state}, and it is ${isStored(history) ? '' : 'not '}in the lists`;
    const agrees =
      (state === 'STORED') === isStored(history) &&
      state !== 'DEAD_LETTER' &&
      (state !== 'REFUSED' || !answers.includes('discarded')) &&
      (state !== 'DISCARDED' || history.discard !== 'no');
    return agrees ? [] : [{ kind: 'contradiction', subject: nameOf(history), said: saidOf(history), found }];
  });
}

/**
 * Sends again what was never decided, as a client does that wants to know, until it is. Some that nothing was
 * promised about are left alone, as of clients that are gone: what is stored of them must reach the log and the
 * archive without anybody's help.
 */
export async function settleOpen(http: HttpClient, ledger: Ledger): Promise<readonly Violation[]> {
  const end = performance.now() + PATIENCE_MS;
  const open = ledger.histories.filter(
    (history) => history.id !== undefined && !isDecided(history) && !isAbandoned(history),
  );
  const results = await inTurn(open, async (history) => {
    for (const body of bodiesOf(history)) {
      if (await settleOne(http, ledger, { history, body, end })) return [];
    }
    return [undecided(history, 'no decision in spite of resends')];
  });
  return results.flat();
}

/** One in three of the events whose every request was cut off, always the same ones. */
function isAbandoned(history: EventHistory): boolean {
  const isCut = heard(history).every(({ said }) => said.kind === 'cut');
  return isCut && (history.attempts[0]?.tick ?? 0) % 3 === 0;
}

function isDecided(history: EventHistory): boolean {
  return heard(history).some(({ said }) => ['stored', 'refused', 'discarded'].includes(said.kind));
}

/** The bodies that were sent under the event's id, each once, the first one first. */
function bodiesOf({ attempts }: EventHistory): readonly EventBody[] {
  return [...new Map(attempts.map(({ body }) => [contentOf(body), body])).values()];
}

interface OpenEvent {
  readonly history: EventHistory;
  readonly body: EventBody;
  /** On the monotonic clock, in ms. */
  readonly end: number;
}

/** Whether sending this body brought the event's decision; if its key belongs to another body, it does not. */
async function settleOne(
  http: HttpClient,
  ledger: Ledger,
  { history, body, end }: OpenEvent,
): Promise<boolean> {
  while (performance.now() < end) {
    const { kind } = await sendWrite(http, ledger, { body, id: history.id });
    if (kind === 'stored' || kind === 'refused' || kind === 'discarded') return true;
    if (kind === 'key-reused' || kind === 'odd') return false;
    await sleep(PAUSE_MS);
  }
  return false;
}

/** Asks until the answer is a decision, or says that there will be none. */
async function decisionAt(http: HttpClient, location: string, end: number): Promise<HttpAnswer | NoAnswer> {
  for (;;) {
    const answer = await http.ask({ method: 'GET', path: location });
    const isOpen =
      answer.kind === 'answer' &&
      (answer.status === 503 || (answer.status === 200 && stateIn(answer) === undefined));
    if (!isOpen || performance.now() > end) return answer;
    await sleep(PAUSE_MS);
  }
}

function stateIn(answer: HttpAnswer | NoAnswer): DecidedState['state'] | undefined {
  if (answer.kind !== 'answer' || answer.status !== 200) return undefined;
  const { body } = answer;
  const state: unknown =
    typeof body === 'object' && body !== null && 'state' in body ? body.state : undefined;
  return FINAL_STATES.find((each) => each === state);
}

const FINAL_STATES = ['STORED', 'REFUSED', 'DISCARDED', 'DEAD_LETTER'] as const;

function undecided(history: EventHistory, found: string): Violation {
  return { kind: 'undecided', subject: nameOf(history), said: saidOf(history), found };
}
