import type { FindCursor } from 'mongodb';
import { PortError } from '../../ports/port-error.ts';

/** The server ends a batch at 16 MB: an answer of more batches than this does not fit. */
const MAX_BATCHES = 2;

/** Every document of a query, of which there are at most as many as its `batchSize`. `invalid` where they are too large. */
export async function readAll<T>(call: string, cursor: FindCursor<T>): Promise<readonly T[]> {
  try {
    const found: T[] = [];
    for (let batches = 0; await cursor.hasNext(); batches += 1) {
      if (batches === MAX_BATCHES) {
        const limit = `the answer is larger than about ${MAX_BATCHES * 16} MB; ask for fewer documents`;
        throw new PortError('invalid', call, limit);
      }
      found.push(...cursor.readBufferedDocuments());
    }
    return found;
  } finally {
    await cursor.close();
  }
}
