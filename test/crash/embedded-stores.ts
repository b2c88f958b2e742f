import path from 'node:path';
import { EmbeddedDatabase } from '../../runtime/adapters/embedded/database.ts';
import { EmbeddedEventLog } from '../../runtime/adapters/embedded/event-log.ts';
import { EmbeddedObjectStore } from '../../runtime/adapters/embedded/object-store.ts';
import type { KeepingStores } from './check/stores.ts';

/** Works with the log and the objects in the state directory of a platform that has stopped. */
export async function withEmbeddedStores<T>(
  directory: string,
  work: (stores: KeepingStores) => Promise<T>,
): Promise<T> {
  const database = await EmbeddedDatabase.open(directory);
  const objects = await EmbeddedObjectStore.open(path.join(directory, 'objects'));
  const log = new EmbeddedEventLog(database, {});
  try {
    return await work({ log, objects });
  } finally {
    await log.close();
    await objects.close();
    await database.close();
  }
}
