import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkDecisionsStay,
  checkEverything,
  checkLists,
  checkNames,
  checkStores,
  type Ports,
} from '../crash/check/everything.ts';
import { checkKept, type StoredEvents } from '../crash/check/lists.ts';
import { changeFraudList, OTHER_FRAUD_LIST } from '../crash/fraud-list.ts';
import { fraudListIs, nothingIsParked } from './conditions.ts';
import type { Evidence } from './evidence.ts';
import { untilWell } from './recovery.ts';
import type { Topology } from './topology.ts';

export interface LastChecksParts {
  readonly topology: Pick<Topology, 'roles' | 'stores'>;
  readonly ports: Ports;
  readonly evidence: Evidence;
  readonly progress: (line: string) => void;
}

const SETTLE_MS = 60_000;
/**
 * So long it may take until what is stored and not acknowledged is published: 15 s make a worker count as gone, somebody
 * looks for such every 5 s and takes care of some of them each time; what may land late is looked for 30 s later.
 */
const PUBLISHING_MS = 120_000;
const PAUSE_MS = 1_000;

/** Everything, of a platform on which the load is over. Ends early when something is wrong. */
export async function checkToTheEnd(parts: LastChecksParts): Promise<void> {
  const { topology, ports, evidence, progress } = parts;
  const { ledger, violations } = evidence;
  progress('The load is over: what was acknowledged is in the lists, the log and the archive ...');
  await untilWell([nothingIsParked(ports.admin)], { deadlineMs: SETTLE_MS });
  const shown = await checkLists(ports.http, ledger);
  violations.report(shown.violations);
  // Before anything is sent again: that would publish it once more, and hide that it was not.
  await checkStoresInTime(parts, shown.stored);
  if (evidence.isBroken()) return;
  progress('Everything is brought to a decision and sent again ...');
  const found = await checkEverything(ports, ledger);
  violations.report(found.violations);
  if (evidence.isBroken()) return;
  progress('Another fraud list is put in place: it all is still there ...');
  await changeFraudList(topology.stores.objects);
  await untilWell([fraudListIs(topology.roles, OTHER_FRAUD_LIST.length)], { deadlineMs: SETTLE_MS });
  const again = await checkLists(ports.http, ledger);
  violations.report([
    ...again.violations,
    ...checkKept(found.stored, again.stored, 'before the fraud list was changed'),
    ...(await checkNames(ports.http, ledger, again.stored)),
    ...(await checkDecisionsStay(ports.http, ledger)),
  ]);
  await checkStoresInTime(parts, found.stored);
}

/** What is not published or archived yet has some time to be, as long as it is not what was acknowledged. */
async function checkStoresInTime(
  { topology, evidence, progress }: LastChecksParts,
  stored: StoredEvents,
): Promise<void> {
  const end = performance.now() + PUBLISHING_MS;
  for (let before = -1; ;) {
    const { late, violations } = await checkStores(topology.stores, evidence.ledger, stored);
    evidence.violations.report(violations);
    if (late.length === 0 || evidence.isBroken()) return;
    if (performance.now() > end) {
      evidence.violations.report(late);
      return;
    }
    if (late.length !== before) progress(`${late.length} are not in the log or the archive yet ...`);
    before = late.length;
    await sleep(PAUSE_MS);
  }
}
