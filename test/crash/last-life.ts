import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkDecisionsStay,
  checkEverything,
  checkLists,
  checkNames,
  checkStores,
} from './check/everything.ts';
import { checkKept, type StoredEvents } from './check/lists.ts';
import { withEmbeddedStores } from './embedded-stores.ts';
import { changeFraudList } from './fraud-list.ts';
import { lastIsComposed } from './kill-plan.ts';
import type { Lives } from './lives.ts';
import { Random } from './random.ts';
import type { Recent } from './recent.ts';
import type { RunContext } from './run-context.ts';

/** Answers of the last load, after which nobody is killed any more; it may take so long. */
const LAST_ANSWERS = 300;
const LAST_LOAD_MS = 10_000;
/**
 * So long a platform runs for what is stored and not published yet: 15 s make a worker count as gone, somebody looks
 * for such every 5 s and takes care of some of them each time; a life has two.
 */
const PUBLISHING_MS = 22_000;
const PUBLISHING_LIFE_MS = 500;
const PUBLISHING_ROUNDS = 3;

/** Brings everything to its end, without kills, and looks at all of it, also after a further start. */
export async function checkToTheEnd(context: RunContext, lives: Lives): Promise<void> {
  const { options, ledger, clients, recent } = context;
  const composed = lastIsComposed(new Random(options.seed));
  options.progress('The last load: what was acknowledged is in the lists, the log and the archive ...');
  const shown = await context.peacefully(composed, async ({ http }, platform) => {
    clients.resume(http);
    await lives.checkAfterKill(http, platform);
    await answers(recent, LAST_ANSWERS);
    await clients.pause();
    return checkLists(http, ledger);
  });
  if (shown === undefined) return;
  context.report(shown.violations);
  // Before anything is sent again: that would publish it once more, and hide that it was not.
  const { violations } = await withEmbeddedStores(context.stateFolder, (stores) =>
    checkStores(stores, ledger, shown.stored),
  );
  context.report(violations);
  options.progress('Started once more: everything is brought to a decision and sent again ...');
  const found = await context.peacefully(composed, (ports) => checkEverything(ports, ledger));
  if (found === undefined) return;
  context.report(found.violations);
  options.progress('Started once more, with another fraud list: it all is still there ...');
  await withEmbeddedStores(context.stateFolder, ({ objects }) => changeFraudList(objects));
  // Composed: what was stored and not published is published by those who come after.
  await context.peacefully(true, async ({ http }) => {
    const again = await checkLists(http, ledger);
    context.report([...again.violations, ...checkKept(found.stored, again.stored, 'before the last stop')]);
    context.report(await checkNames(http, ledger, again.stored));
    context.report(await checkDecisionsStay(http, ledger));
  });
  await checkStoresInTime(context, found.stored);
}

/** What is not published or archived yet has some time to be, as long as it is not what was acknowledged. */
async function checkStoresInTime(context: RunContext, stored: StoredEvents): Promise<void> {
  const { ledger, options } = context;
  for (let round = 1; ; round += 1) {
    const { late, violations } = await withEmbeddedStores(context.stateFolder, (stores) =>
      checkStores(stores, ledger, stored),
    );
    context.report(violations);
    if (late.length === 0) return;
    if (round > PUBLISHING_ROUNDS) context.report(late);
    if (context.violations.length > 0) return;
    const ms = PUBLISHING_MS + PUBLISHING_LIFE_MS * context.composedLives;
    options.progress(`${late.length} are not in the log or the archive yet: ${ms / 1_000} s for them ...`);
    await context.peacefully(true, () => sleep(ms));
  }
}

/** Resolves when there were so many more answers, or the clients get none any more. */
function answers(recent: Recent, count: number): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, LAST_LOAD_MS);
    recent.after(count, () => {
      clearTimeout(late);
      resolve();
    });
  });
}
