import { keyOf } from '../events.ts';
import type { HttpClient } from '../http-client.ts';
import type { EventHistory, Ledger } from '../ledger.ts';
import { discardParked, listAllParked, type ParkedItem, retryParked } from '../parked-list.ts';
import { inTurn } from '../reads.ts';
import { nameOf } from './expectation.ts';
import { saidOf, type Violation } from './violation.ts';

/**
 * Each event whose state is DEAD_LETTER must be listed. Then an administrator has one half of them sent again and
 * discards the other, so that all are decided.
 */
export async function settleDeadLetters(
  admin: HttpClient,
  ledger: Ledger,
  setAside: readonly EventHistory[],
): Promise<readonly Violation[]> {
  const listed = await listAllParked(admin, 'DEAD_LETTER');
  if ('kind' in listed) return [oddAnswer('the list of dead letters', listed)];
  const keys = new Set(listed.map(keyOf));
  const missing = setAside
    .filter(({ type, id = '' }) => !keys.has(keyOf({ type, id })))
    .map((history): Violation => ({
      kind: 'undecided',
      subject: nameOf(history),
      said: saidOf(history),
      found: 'its state is DEAD_LETTER, and GET /parked?state=DEAD_LETTER does not list it',
    }));
  const strange = listed.filter(
    ({ type, id }) => ledger.find(type, id) === undefined && !isUnnamed(ledger, type),
  );
  const odd = await inTurn([...listed.entries()], async ([place, item]) =>
    settle(admin, ledger, { item, place }),
  );
  return [...missing, ...strange.map(phantom), ...odd.flat()];
}

async function settle(
  admin: HttpClient,
  ledger: Ledger,
  { item, place }: { readonly item: ParkedItem; readonly place: number },
): Promise<readonly Violation[]> {
  const history = ledger.find(item.type, item.id);
  if (place % 2 === 0 || history === undefined) {
    const answer = await retryParked(admin, item);
    return answer.kind === 'answer' && answer.status === 202
      ? []
      : [oddAnswer(`retry of ${keyOf(item)}`, answer)];
  }
  ledger.discard(history, 'asked');
  const answer = await discardParked(admin, item);
  const status = answer.kind === 'answer' ? answer.status : 0;
  if (status === 200) ledger.discard(history, 'done');
  // 409: the store had decided before.
  return status === 200 || status === 409 ? [] : [oddAnswer(`discard of ${keyOf(item)}`, answer)];
}

/** A write without a key is parked under an id that its client may never have been told. */
function isUnnamed(ledger: Ledger, type: ParkedItem['type']): boolean {
  return ledger.histories.some((history) => history.id === undefined && history.type === type);
}

function phantom(item: ParkedItem): Violation {
  return { kind: 'phantom', subject: keyOf(item), said: 'no client sent this', found: 'it is a dead letter' };
}

function oddAnswer(subject: string, answer: object): Violation {
  return { kind: 'odd-answer', subject, said: 'an administrator asked', found: JSON.stringify(answer) };
}
