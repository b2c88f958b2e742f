import type { ObjectStore } from '../ports/object-store.ts';
import { type Chain, chainPrefix, MAX_OFFSET, objectKey, parseObjectKey } from './object-key.ts';

/** The archive, as a chain is looked for in it. */
export interface ArchiveBucket {
  readonly objects: Pick<ObjectStore, 'list' | 'head' | 'get'>;
  readonly bucket: string;
}

/** Keys in one answer: a short chain is found in one call, and a long one is not read. */
const PAGE = 100;

/**
 * Where the last object of a chain begins; undefined when there is none. It bisects by offset: the number of calls
 * grows with the logarithm of the chain. `hint` is where the chain is thought to end.
 */
export async function lastObject(
  archive: ArchiveBucket,
  chain: Chain,
  hint: bigint,
): Promise<bigint | undefined> {
  // There is an object at `low`, or it is -1; behind `high` there is none.
  let low = -1n;
  let high = MAX_OFFSET;
  let look = low;
  for (let call = 0; low < high; call += 1) {
    const { last, more } = await objectsBehind(archive, chain, look);
    if (last === undefined) high = look;
    else low = last;
    if (last !== undefined && !more) break;
    const isHinted = call === 0 && low < hint && hint < high;
    look = isHinted ? hint : low + (high - low) / 2n;
  }
  return low < 0n ? undefined : low;
}

interface Behind {
  /** Where the last of the objects that were found begins. */
  readonly last: bigint | undefined;
  /** Whether there may be others behind it. */
  readonly more: boolean;
}

/** Some of the objects that begin behind an offset. Passes over keys that are none of the archive's. */
async function objectsBehind(
  { objects, bucket }: ArchiveBucket,
  chain: Chain,
  offset: bigint,
): Promise<Behind> {
  const prefix = chainPrefix(chain);
  let after = offset < 0n ? undefined : objectKey(chain, offset);
  for (;;) {
    const page = await objects.list(bucket, {
      prefix,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    const more = page.length === PAGE;
    const places = page.flatMap(({ key }) => parseObjectKey(key) ?? []);
    const last = places.at(-1)?.from;
    if (last !== undefined || !more) return { last, more };
    after = page.at(-1)?.key;
  }
}
