import type { Interceptor } from './intercept.ts';

/** One event in so many meets a defect. */
const ONE_IN = 150;

/**
 * Lets storing fail as by a defect of the product whenever certain events are among what is stored: their writes are
 * parked, fail again and again, and become dead letters.
 */
export const poison: Interceptor = ({ name, args }, proceed) => {
  const isStoring = name === 'event-store.insertAndAppend' || name === 'document-store.insertMany';
  if (!isStoring || !amountsIn(args).some((amount) => amount % ONE_IN === 0)) return proceed();
  return Promise.reject(new Error('a defect, injected by the crash suite'));
};

/** Of documents, or of events that hold them. */
function amountsIn([, list]: readonly unknown[]): readonly number[] {
  const items = Array.isArray(list) ? (list as readonly Item[]) : [];
  return items.flatMap((item) => (item.document ?? item).content?.amount ?? []);
}

interface Item {
  readonly document?: Item;
  readonly content?: { readonly amount?: number };
}
