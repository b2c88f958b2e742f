import type { ObjectStore } from '../../runtime/ports/object-store.ts';
import { CLIENTS } from './writes.ts';

/** Where the platforms of the suites have their fraud list. */
export const FRAUD_LIST = { bucket: 'fraud', key: 'fraud-list.txt' } as const;

/** The fraud list of the end of a run: those who were on it are not, and one that was not is. */
export const OTHER_FRAUD_LIST: readonly string[] = ['somebody else', ...CLIENTS.slice(0, 1)];

/** Puts another fraud list in the place of the one that the platform was given. */
export async function changeFraudList(objects: ObjectStore): Promise<void> {
  const lines = OTHER_FRAUD_LIST.map((name) => `${name}\n`).join('');
  await objects.put(FRAUD_LIST.bucket, FRAUD_LIST.key, new TextEncoder().encode(lines));
}
