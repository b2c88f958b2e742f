import { PortError } from '../ports/port-error.ts';
import type { ArchiveBucket } from './chain-end.ts';
import { ChainCheck, type ChainReport } from './chain-check.ts';
import type { Finding } from './finding.ts';
import { checkObject, type ObjectCheck } from './object-check.ts';
import { isSameChain, type ObjectPlace } from './object-key.ts';
import { PROBE_PREFIX } from './probe-key.ts';
import { walkArchive } from './reader.ts';

/** What a verification tells, as it goes. */
export type VerifyEvent =
  | ({ readonly type: 'finding' } & Finding)
  /** One more object has been read to its end. */
  | { readonly type: 'object'; readonly records: number }
  /** A chain has been walked to its end. */
  | ({ readonly type: 'partition' } & ChainReport);

/**
 * Reads a whole archive and tells what is wrong with it: each chain must be whole from offset 0 on, and each object
 * what it says of itself. Keeps no more than one line in memory. That the last objects of a chain are missing it
 * cannot see: an archiver that starts stores them again, as long as the log has their records.
 */
export async function* verifyArchive(archive: ArchiveBucket): AsyncGenerator<VerifyEvent> {
  let chain: ChainCheck | undefined;
  for await (const { key, place } of walkArchive(archive)) {
    if (place === undefined) {
      if (!key.startsWith(PROBE_PREFIX)) yield finding('stray', key, 'is no name of an archived object');
      continue;
    }
    if (chain === undefined || !isSameChain(chain.chain, place.chain)) {
      if (chain !== undefined) yield { type: 'partition', ...chain.report() };
      chain = new ChainCheck(place.chain);
    }
    yield* verifyObject(archive, { key, place, chain });
  }
  if (chain !== undefined) yield { type: 'partition', ...chain.report() };
}

async function* verifyObject(
  { objects, bucket }: ArchiveBucket,
  { key, place, chain }: { readonly key: string; readonly place: ObjectPlace; readonly chain: ChainCheck },
): AsyncGenerator<VerifyEvent> {
  let checked: ObjectCheck;
  try {
    const object = await objects.get(bucket, key);
    // Removed since its key was listed: what is behind it tells of the gap.
    if (object === undefined || object === 'unchanged') return;
    checked = await checkObject(object, place);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    checked = unread(key, place, error);
  }
  const { link, findings } = checked;
  const fault = chain.follow(link);
  const all = fault === undefined ? findings : [{ ...fault, key }, ...findings];
  chain.count(all.length);
  for (const each of all) yield { type: 'finding', ...each };
  yield { type: 'object', records: link.records };
}

/** An object that the store does not give; where it ends is not known. */
function unread(key: string, { from }: ObjectPlace, { message }: PortError): ObjectCheck {
  return {
    link: { from, next: undefined, records: 0, first: undefined, last: undefined },
    findings: [{ kind: 'unreadable', key, message }],
  };
}

function finding(kind: Finding['kind'], key: string, message: string): VerifyEvent {
  return { type: 'finding', kind, key, message };
}
