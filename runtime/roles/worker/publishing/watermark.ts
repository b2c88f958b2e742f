import { randomUUID } from 'node:crypto';
import type {
  CollectionSpec,
  DocumentValue,
  IndexSpec,
  StoredDocument,
} from '../../../ports/document-store.ts';

export const WATERMARKS = 'publication_watermarks';

/** Finds what one start of a worker has stored, in the order of its time. */
const BY_BOOT: IndexSpec = {
  name: 'by_boot',
  fields: [
    { field: 'bootId', direction: 'ascending' },
    { field: 'at', direction: 'ascending' },
  ],
};

export const BY_BOOT_INDEX = BY_BOOT.name;

/** An operation and the collection that holds its events, and no others. */
export interface EventSource {
  readonly operation: string;
  readonly collection: string;
}

/**
 * What a start of a worker has published: of its events in the sources, all with a time below `at`. It says enough
 * for any other worker to publish the rest, whether or not that one serves the operations.
 */
export interface Watermark {
  readonly id: string;
  readonly bootId: string;
  /** In ms since the epoch, on the clock of that worker. */
  readonly at: number;
  readonly sources: readonly EventSource[];
  /** Another one each time it is stored: who sees the same one for long knows that nobody keeps it any more. */
  readonly stamp: string;
  /** Another worker has published the rest, and will look once more for what landed late. */
  readonly swept: boolean;
}

/** The collections that watermarks need: their own, and an index in each of the sources. */
export function watermarkCollections(sources: readonly EventSource[]): readonly CollectionSpec[] {
  return [
    { name: WATERMARKS, indexes: [] },
    ...sources.map(({ collection }) => ({ name: collection, indexes: [BY_BOOT] })),
  ];
}

export function newStamp(): string {
  return randomUUID();
}

export function watermarkDocument({ id, bootId, at, sources, stamp, swept }: Watermark): StoredDocument {
  const operations = Object.fromEntries(sources.map(({ operation, collection }) => [collection, operation]));
  return { _id: id, bootId, at, operations, stamp, swept };
}

/** The watermark in a document. Throws when there is none: the collection holds foreign data. */
export function watermarkIn(document: StoredDocument): Watermark {
  const { _id: id, bootId, at, operations, stamp, swept } = document;
  if (
    typeof bootId !== 'string' ||
    typeof at !== 'number' ||
    typeof stamp !== 'string' ||
    typeof swept !== 'boolean' ||
    !isObject(operations)
  ) {
    throw new Error('a stored document is not a watermark');
  }
  return { id, bootId, at, stamp, swept, sources: sourcesIn(operations) };
}

type DocumentObject = Readonly<Record<string, DocumentValue>>;

function isObject(value: DocumentValue | undefined): value is DocumentObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sourcesIn(operations: DocumentObject): readonly EventSource[] {
  return Object.entries(operations).map(([collection, operation]) => {
    if (typeof operation !== 'string') throw new Error('a stored watermark names no operation');
    return { operation, collection };
  });
}
