import type { MongoOptions } from '../../runtime/adapters/mongodb/document-store.ts';
import { unique } from './waiting.ts';

const silent = { up() {}, down() {}, reconnected() {}, sent() {} };

/** Options of a store with a database of its own. */
export function mongoOptions(uri: string, more: Partial<MongoOptions> = {}): MongoOptions {
  return { uri, database: unique('contract'), appName: 'contract', observer: silent, ...more };
}
