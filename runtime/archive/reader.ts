import type { ObjectContent } from '../ports/object-store.ts';
import type { ArchiveBucket } from './chain-end.ts';
import { decodeLine } from './line.ts';
import { type ObjectFacts, parseMetadata } from './object-facts.ts';
import { type Chain, type ObjectPlace, parseObjectKey } from './object-key.ts';
import { linesOf, UnreadableObject } from './object-lines.ts';

/** Keys in one answer. */
const PAGE = 1_000;

/** Every key of the bucket in order, and what it says where it is that of an archived object. */
export async function* walkArchive({
  objects,
  bucket,
}: ArchiveBucket): AsyncGenerator<{ readonly key: string; readonly place: ObjectPlace | undefined }> {
  let after: string | undefined;
  for (;;) {
    const options = { prefix: '', limit: PAGE, ...(after === undefined ? {} : { after }) };
    const page = await objects.list(bucket, options);
    for (const { key } of page) yield { key, place: parseObjectKey(key) };
    after = page.at(-1)?.key;
    if (page.length < PAGE) return;
  }
}

/** Which records are wanted. */
export interface RecordFilter {
  /** Not before this time, in ms since the epoch. */
  readonly from?: number;
  /** Before this time, in ms since the epoch. */
  readonly to?: number;
  /** Of the event with this id only. */
  readonly id?: string;
}

/** What reading the archive gives. */
export type Found =
  | { readonly kind: 'record'; readonly chain: Chain; readonly line: string }
  | { readonly kind: 'damage'; readonly key: string; readonly message: string };

/**
 * The records that are wanted, chain by chain, each in order of its offsets. Objects that hold none of the time by
 * their metadata are not opened. A damaged object is told, and what can be read of it comes. An event may come
 * twice, with one id: it was published again because it was not certain that it had been.
 */
export async function* readArchive(archive: ArchiveBucket, filter: RecordFilter): AsyncGenerator<Found> {
  for await (const { key, place } of walkArchive(archive)) {
    if (place === undefined || !(await mayHold(archive, key, filter))) continue;
    const object = await archive.objects.get(archive.bucket, key);
    if (object === undefined || object === 'unchanged') continue;
    yield* readObject(object, place.chain, filter);
  }
}

async function mayHold(
  { objects, bucket }: ArchiveBucket,
  key: string,
  filter: RecordFilter,
): Promise<boolean> {
  if (filter.from === undefined && filter.to === undefined) return true;
  const head = await objects.head(bucket, key);
  if (head === undefined) return false;
  const parsed = parseMetadata(head.metadata);
  // What does not say what it holds is opened.
  return !parsed.ok || overlaps(parsed.facts, filter);
}

function overlaps({ content }: ObjectFacts, { from = -Infinity, to = Infinity }: RecordFilter): boolean {
  return content !== undefined && content.latest >= from && content.earliest < to;
}

async function* readObject(
  { key, metadata, body }: ObjectContent,
  chain: Chain,
  filter: RecordFilter,
): AsyncGenerator<Found> {
  const parsed = parseMetadata(metadata);
  if (parsed.ok && parsed.facts.content === undefined) {
    const { from, next } = parsed.facts;
    yield { kind: 'damage', key, message: `offsets ${from} to ${next - 1n} were declared lost` };
    return;
  }
  try {
    let number = 0;
    for await (const line of linesOf(body)) {
      number += 1;
      const answer = matches(line, filter);
      if (answer === undefined) yield { kind: 'damage', key, message: `line ${number} is no record` };
      else if (answer) yield { kind: 'record', chain, line };
    }
  } catch (error) {
    if (!(error instanceof UnreadableObject)) throw error;
    yield { kind: 'damage', key, message: error.message };
  }
}

/** Whether a line is wanted; undefined when it is no record. */
function matches(line: string, { from = -Infinity, to = Infinity, id }: RecordFilter): boolean | undefined {
  const record = decodeLine(line);
  if (record === undefined) return undefined;
  const inTime = record.timestamp >= from && record.timestamp < to;
  return inTime && (id === undefined || record.key === id || idOf(record.value) === id);
}

function idOf(value: Uint8Array | null): unknown {
  if (value === null) return undefined;
  try {
    const content: unknown = JSON.parse(Buffer.from(value).toString());
    return typeof content === 'object' && content !== null && 'id' in content ? content.id : undefined;
  } catch {
    return undefined;
  }
}
