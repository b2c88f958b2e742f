import type { CollectionSpec, IndexSpec, IndexValue } from '../../ports/document-store.ts';
import type { TopicSpec } from '../../ports/event-log.ts';
import type { PortErrorKind } from '../../ports/port-error.ts';

/** What the main thread may ask of the writer thread. Documents travel as JSON text. */
export type WriteRequest =
  | { readonly op: 'ensureCollections'; readonly specs: readonly CollectionSpec[] }
  | {
      readonly op: 'insert';
      readonly collection: string;
      readonly ids: readonly string[];
      readonly bodies: readonly string[];
    }
  | {
      readonly op: 'replace';
      readonly collection: string;
      readonly id: string;
      readonly body: string;
      /** Field values that the stored document must have; null replaces or inserts without a condition. */
      readonly expected: Readonly<Record<string, IndexValue>> | null;
    }
  | { readonly op: 'remove'; readonly collection: string; readonly ids: readonly string[] }
  | { readonly op: 'ensureTopics'; readonly specs: readonly TopicSpec[] }
  | {
      /** The records are packed (record-pack.ts) in the message's payload, `payloadBytes` of it. */
      readonly op: 'append';
      readonly topics: readonly string[];
      readonly payloadBytes: number;
      /** When it was asked, in ms since the epoch, by the event log's clock. */
      readonly at: number;
    }
  | {
      /** An insert and an append in one: the record of a duplicate is left out. */
      readonly op: 'store';
      readonly collection: string;
      readonly ids: readonly string[];
      readonly bodies: readonly string[];
      /** For each record, the place of its document; null: they are the same. */
      readonly recordOf: readonly number[] | null;
      readonly topics: readonly string[];
      readonly payloadBytes: number;
      readonly at: number;
    }
  | {
      readonly op: 'commitOffset';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
    }
  | {
      /** Looks at no more than `limit` records of one partition and removes those appended before `before`. */
      readonly op: 'purge';
      readonly topic: string;
      readonly partition: number;
      readonly before: number;
      readonly limit: number;
    };

/** What the writer answers, by operation. */
export interface WriteAnswers {
  readonly ensureCollections: null;
  /** Places of the duplicates; null when there are none. */
  readonly insert: readonly number[] | null;
  readonly replace: boolean;
  readonly remove: null;
  readonly ensureTopics: readonly TopicRow[];
  readonly append: null;
  /** Places of the duplicates; null when there are none. */
  readonly store: readonly number[] | null;
  readonly commitOffset: null;
  /** How many records went. */
  readonly purge: number;
}

/** What the main thread may ask of the reader thread. */
export type ReadRequest =
  | {
      /** Takes the collection's indexes a bounded step further. */
      readonly op: 'buildIndexes';
      readonly collection: string;
    }
  | { readonly op: 'findByIds'; readonly collection: string; readonly ids: readonly string[] }
  | {
      readonly op: 'find';
      readonly collection: string;
      readonly index: string;
      readonly equals: readonly IndexValue[];
      readonly after: { readonly values: readonly IndexValue[]; readonly id: string } | null;
      readonly limit: number;
    }
  | {
      readonly op: 'findByIdRange';
      readonly collection: string;
      readonly from: string;
      readonly to: string;
      readonly limit: number;
    }
  | { readonly op: 'topics' }
  | {
      readonly op: 'records';
      readonly topic: string;
      readonly partition: number;
      readonly from: number;
      readonly maxRecords: number;
    }
  | { readonly op: 'ranges'; readonly topic: string }
  | { readonly op: 'committed'; readonly group: string; readonly topic: string };

/** What the reader answers, by operation. Documents come as the JSON text of one array. */
export interface ReadAnswers {
  /** Whether the indexes are up to date. */
  readonly buildIndexes: boolean;
  readonly findByIds: string;
  readonly find: string;
  readonly findByIdRange: string;
  readonly topics: readonly TopicRow[];
  /** Packed records (record-pack.ts), and where the partition ends. */
  readonly records: { readonly pack: Uint8Array<ArrayBuffer>; readonly end: number };
  readonly ranges: readonly { readonly partition: number; readonly start: number; readonly end: number }[];
  readonly committed: readonly { readonly partition: number; readonly offset: number }[];
}

/** A topic as the database knows it. */
export interface TopicRow {
  readonly id: number;
  readonly name: string;
  readonly generation: string;
  readonly partitions: number;
  readonly compacted: boolean;
  readonly retentionMs: number | null;
}

/** An index as the catalogue knows it. */
export type IndexFields = IndexSpec['fields'];

/** One message to a thread: requests, and the packed records of its appends end to end. */
export interface ThreadMessage<Request> {
  readonly requests: readonly Request[];
  readonly payload?: ArrayBuffer;
}

/** One partition that a commit made longer. */
export interface Advance {
  readonly topicId: number;
  readonly partition: number;
  readonly end: number;
}

/** A thread's answer to one message. */
export interface ThreadReply {
  /** In the order of the requests. */
  readonly answers: readonly unknown[];
  /** Requests that failed, by place; their answer is undefined. */
  readonly failures: readonly ThreadFailure[];
  readonly advanced: readonly Advance[];
}

export interface ThreadFailure {
  readonly place: number;
  readonly kind: PortErrorKind;
  readonly message: string;
}
