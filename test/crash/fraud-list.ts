import path from 'node:path';
import { EmbeddedObjectStore } from '../../runtime/adapters/embedded/object-store.ts';
import { CLIENTS } from './writes.ts';

/**
 * Puts another fraud list in the place of the one in the state directory of a platform that has stopped: those who
 * were on it are not, and one that was not is.
 */
export async function changeFraudList(directory: string): Promise<void> {
  const objects = await EmbeddedObjectStore.open(path.join(directory, 'objects'));
  try {
    await objects.put(
      'fraud',
      'fraud-list.txt',
      new TextEncoder().encode(`somebody else\n${CLIENTS[0] ?? ''}\n`),
    );
  } finally {
    await objects.close();
  }
}
