import { randomUUID } from 'node:crypto';
import { PROBE_PREFIX } from '../../archive/probe-key.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { PortError } from '../../ports/port-error.ts';

/**
 * Proves that the store refuses a second object under one key: without that, two archivers could replace each
 * other's objects. Rejects with a PortError `refused` that says what to do when it does not.
 */
export async function proveConditionalPuts(objects: ObjectStore, bucket: string): Promise<void> {
  const key = `${PROBE_PREFIX}${randomUUID()}`;
  const put = async (text: string): Promise<string> =>
    (await objects.put(bucket, key, Buffer.from(text), { ifAbsent: true })).outcome;
  await put('first');
  const outcome = await put('second');
  await objects.remove(bucket, key);
  if (outcome === 'exists') return;
  throw new PortError(
    'refused',
    'object-store.put',
    'the object store does not honour conditional puts (it stored an object with If-None-Match: * over another): ' +
      'use one that does (spec.s3.endpoint), or the archive could lose records',
  );
}
