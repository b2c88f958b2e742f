import { randomUUID } from 'node:crypto';
import { PROBE_PREFIX } from '../../archive/probe-key.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

/**
 * Proves that the store refuses a second object under one key: without that, two archivers could replace each
 * other's objects. Throws an error that says what to do when it does not.
 */
export async function proveConditionalPuts(objects: ObjectStore, bucket: string): Promise<void> {
  const key = `${PROBE_PREFIX}${randomUUID()}`;
  const put = async (text: string): Promise<string> =>
    (await objects.put(bucket, key, Buffer.from(text), { ifAbsent: true })).outcome;
  const outcomes = [await put('first'), await put('second')];
  await objects.remove(bucket, key);
  if (outcomes.join() === 'stored,exists') return;
  throw new Error(
    `the object store does not honour conditional puts (it said ${outcomes.join(', ')} to two puts with ` +
      'If-None-Match: *): use one that does, or the archive could lose records',
  );
}
