import { OPERATIONS, TRANSACTIONS } from '../../runtime/domains/bank/store.ts';
import { heard, type Ledger } from '../crash/ledger.ts';
import { ARCHIVE_BUCKET } from '../crash/resource.ts';
import type { OwnStores } from './own-stores.ts';

/** Ways to break a promise behind the platform's back, to see that it is found. */
export const SABOTAGES = ['lose-event', 'lose-object'] as const;

export type SabotageKind = (typeof SABOTAGES)[number];

/** Breaks the promise. Throws when there is nothing yet to be lost. */
export async function sabotage(
  kind: SabotageKind,
  stores: Pick<OwnStores, 'documents' | 'objects'>,
  ledger: Ledger,
): Promise<void> {
  if (kind === 'lose-event') await loseEvent(stores, ledger);
  else await loseObject(stores);
}

/** A document that a client was told is stored. */
async function loseEvent({ documents }: Pick<OwnStores, 'documents'>, ledger: Ledger): Promise<void> {
  const lost = ledger.histories.find((history) => heard(history).some(({ said }) => said.kind === 'stored'));
  if (lost?.id === undefined) throw new Error('no event was acknowledged that could be lost');
  await documents.remove(lost.type === 'transaction' ? TRANSACTIONS : OPERATIONS, [lost.id]);
}

/** The first object of the archive. */
async function loseObject({ objects }: Pick<OwnStores, 'objects'>): Promise<void> {
  const [first] = await objects.list(ARCHIVE_BUCKET, { prefix: '', limit: 1 });
  if (first === undefined) throw new Error('nothing is archived that could be lost');
  await objects.remove(ARCHIVE_BUCKET, first.key);
}
