import { fromDocument, toLogRecord } from '../../../domain-kit/event.ts';
import type { DocumentStore, StoredDocument } from '../../../ports/document-store.ts';
import type { EventLog, NewRecord } from '../../../ports/event-log.ts';
import { PortError } from '../../../ports/port-error.ts';
import type { EventPosition } from './unpublished-ranges.ts';
import { BY_BOOT_INDEX, type EventSource } from './watermark.ts';

export interface RepublishPorts {
  readonly documents: Pick<DocumentStore, 'find'>;
  readonly log: Pick<EventLog, 'append' | 'ranges'>;
  /** Told of a stored event that cannot be published, now or ever; it is passed over, so that it holds up no other. */
  readonly onUnpublishable: (id: string, error: unknown) => void;
}

/** Events of one start of a worker, in one source. */
export interface StoredEvents {
  readonly source: EventSource;
  readonly bootId: string;
  /** Behind which to begin. */
  readonly after: EventPosition;
  /** Up to this time, inclusive; undefined: all of them. */
  readonly to?: number;
}

export interface RepublishedPage {
  readonly published: number;
  /** Where the page ends; undefined: there is nothing behind it. */
  readonly reached: EventPosition | undefined;
}

const PAGE = 500;
/** Bytes of one append; a single larger record goes alone. */
const APPEND_BYTES = 256 * 1024;

/** Just before all events of this time: ids are not empty. */
export function beginningAt(at: number): EventPosition {
  return { at, id: '' };
}

/** Publishes one page of stored events once more; those that were refused or discarded have nothing to publish. */
export async function republishPage(
  { documents, log, onUnpublishable }: RepublishPorts,
  { source, bootId, after, to = Infinity }: StoredEvents,
): Promise<RepublishedPage> {
  const found = await documents.find(source.collection, {
    index: BY_BOOT_INDEX,
    equals: [bootId],
    after: { values: [after.at], id: after.id },
    limit: PAGE,
  });
  const wanted = found.filter(({ at }) => Number(at) <= to);
  const records = wanted.flatMap((document) => recordIn(document, source, onUnpublishable) ?? []);
  for (const part of parts(records)) await append(log, part, onUnpublishable);
  const last = wanted.length < PAGE ? undefined : wanted.at(-1);
  const reached = last === undefined ? undefined : { at: Number(last['at']), id: last._id };
  return { published: records.length, reached };
}

function recordIn(
  document: StoredDocument,
  { operation }: EventSource,
  onUnpublishable: RepublishPorts['onUnpublishable'],
): NewRecord | undefined {
  // A refusal may bear a reason that only a later version knows.
  if (document['verdict'] !== 'INSERTED') return undefined;
  try {
    return toLogRecord(operation, fromDocument(document));
  } catch (error) {
    onUnpublishable(document._id, error);
    return undefined;
  }
}

function parts(records: readonly NewRecord[]): readonly (readonly NewRecord[])[] {
  const all: NewRecord[][] = [];
  let bytes = Infinity;
  for (const record of records) {
    const size = record.value?.length ?? 0;
    bytes += size;
    if (bytes > APPEND_BYTES) {
      all.push([]);
      bytes = size;
    }
    all.at(-1)?.push(record);
  }
  return all;
}

/** Appends records. Those that the log refuses as invalid are halved until the one at fault is alone. */
async function append(
  log: RepublishPorts['log'],
  records: readonly NewRecord[],
  onUnpublishable: RepublishPorts['onUnpublishable'],
): Promise<void> {
  try {
    await log.append(records);
  } catch (error) {
    if (!(error instanceof PortError) || error.kind !== 'invalid') throw error;
    const [first] = records;
    if (records.length === 1 && first !== undefined) {
      // Rejects where it is the topic that is at fault, which is none of the event's doing.
      await log.ranges(first.topic);
      onUnpublishable(first.key ?? '', error);
      return;
    }
    const middle = Math.ceil(records.length / 2);
    await append(log, records.slice(0, middle), onUnpublishable);
    await append(log, records.slice(middle), onUnpublishable);
  }
}
