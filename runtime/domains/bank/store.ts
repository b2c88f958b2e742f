import type { Position } from '../../domain-kit/cursor.ts';
import { DerivedSet } from '../../domain-kit/derived-set.ts';
import { type EventContent, type EventRecord, fromDocument } from '../../domain-kit/event.ts';
import type { DomainPorts } from '../../domain-kit/domain.ts';
import {
  type BankEvent,
  type BankOperation,
  type BankOperationRequest,
  OperationType,
  type Transaction,
  type TransactionRequest,
} from '../../generated/miniplatform/bank/v1/bank.ts';
import type { CollectionSpec, DocumentStore } from '../../ports/document-store.ts';
import type { ScoredMember } from '../../ports/cache.ts';

export const TRANSACTIONS = 'bank_transactions';
export const OPERATIONS = 'bank_operations';

/** Refused and discarded events have no clients: they are in no index, and no fetch sees them. */
const BY_CLIENT = {
  name: 'by_client',
  fields: [
    { field: 'clients', direction: 'ascending' },
    { field: 'at', direction: 'descending' },
  ],
} as const;

export const collections: readonly CollectionSpec[] = [
  { name: TRANSACTIONS, indexes: [BY_CLIENT] },
  { name: OPERATIONS, indexes: [BY_CLIENT] },
];

const SET_TTL_MS = 24 * 60 * 60 * 1000;
const REBUILD_PAGE = 1_000;

/** With whom each client has dealt, and at which branches; kept in the cache, rebuilt from the collections. */
export interface BankSets {
  readonly interactions: DerivedSet;
  readonly branches: DerivedSet;
}

export function bankSets({ cache, documents }: Pick<DomainPorts, 'cache' | 'documents'>): BankSets {
  return {
    interactions: new DerivedSet({
      cache,
      name: 'interactions',
      ttlMs: SET_TTL_MS,
      source: (client) => derivedFrom(documents, TRANSACTIONS, client, (record) => partner(record, client)),
    }),
    branches: new DerivedSet({
      cache,
      name: 'branches',
      ttlMs: SET_TTL_MS,
      source: (client) => derivedFrom(documents, OPERATIONS, client, branchOf),
    }),
  };
}

/** The members that a stored transaction adds to the interactions of a client. */
export function partner(record: EventRecord, client: string): readonly ScoredMember[] {
  const { sender, receiver } = transactionOf(record);
  if (sender === receiver) return [];
  return [{ member: client === sender ? receiver : sender, score: record.at }];
}

/** The members that a stored operation adds to its client's branches. */
export function branchOf(record: EventRecord): readonly ScoredMember[] {
  return [{ member: operationOf(record).branch, score: record.at }];
}

export function transactionContent({ sender, receiver, amount }: TransactionRequest): EventContent {
  return { sender, receiver, amount };
}

export function operationContent(request: BankOperationRequest): EventContent {
  const { client, amount, branch, operationType } = request;
  return {
    client,
    amount,
    branch,
    operationType: operationType === OperationType.DEPOSIT ? 'DEPOSIT' : 'WITHDRAW',
  };
}

/** The transaction in a stored event. Throws when there is none: the collection holds foreign data. */
export function transactionOf({ id, at, content }: EventRecord): Transaction {
  const { sender, receiver, amount } = content;
  if (typeof sender !== 'string' || typeof receiver !== 'string' || typeof amount !== 'number') {
    throw new Error('a stored event is not a transaction');
  }
  return { id, sender, receiver, amount, at };
}

/** The operation in a stored event. Throws when there is none: the collection holds foreign data. */
export function operationOf({ id, at, content }: EventRecord): BankOperation {
  const { client, branch, amount, operationType } = content;
  if (typeof client !== 'string' || typeof branch !== 'string' || typeof amount !== 'number') {
    throw new Error('a stored event is not a bank operation');
  }
  if (operationType !== 'DEPOSIT' && operationType !== 'WITHDRAW') {
    throw new Error('a stored event has an unknown operation type');
  }
  return { id, client, branch, amount, operationType: OperationType[operationType], at };
}

/** Above every event id in order of bytes: ids are printable ASCII. */
const LAST_ID = '\x7f';

interface Source {
  /** Order among entries of the same time, and their name in positions. */
  readonly kind: string;
  readonly collection: string;
  readonly toEvent: (record: EventRecord) => BankEvent;
}

/** In the order in which events of the same millisecond are listed. */
export const SOURCES: readonly Source[] = [
  {
    kind: 'operation',
    collection: OPERATIONS,
    toEvent: (record) => ({ event: { $case: 'operation', value: operationOf(record) } }),
  },
  {
    kind: 'transaction',
    collection: TRANSACTIONS,
    toEvent: (record) => ({ event: { $case: 'transaction', value: transactionOf(record) } }),
  },
];

export interface EventPage {
  readonly events: readonly BankEvent[];
  readonly next: Position | undefined;
}

export interface EventQuery {
  readonly client: string;
  readonly limit: number;
  readonly after: Position | undefined;
}

interface Entry {
  readonly kind: string;
  readonly record: EventRecord;
  readonly event: BankEvent;
}

/** One page of a client's events out of the sources, newest first: by time, then kind, then id. */
export async function eventPage(
  documents: DocumentStore,
  sources: readonly Source[],
  { client, limit, after }: EventQuery,
): Promise<EventPage> {
  const lists = await Promise.all(
    sources.map(async (source): Promise<readonly Entry[]> => {
      const from = positionIn(source.kind, after);
      const found = await documents.find(source.collection, {
        index: BY_CLIENT.name,
        equals: [client],
        ...(from === undefined ? {} : { after: from }),
        limit: limit + 1,
      });
      return found
        .map(fromDocument)
        .map((record) => ({ kind: source.kind, record, event: source.toEvent(record) }));
    }),
  );
  // Sorting is stable and each list is in order already, so ties of time keep the order of sources and ids.
  const merged = lists.flat().sort((a, b) => b.record.at - a.record.at);
  const page = merged.slice(0, limit);
  const last = page.at(-1);
  const next =
    merged.length > limit && last !== undefined
      ? { at: last.record.at, kind: last.kind, id: last.record.id }
      : undefined;
  return { events: page.map(({ event }) => event), next };
}

/** Where one kind's list goes on behind a position in the merged list. */
function positionIn(kind: string, after: Position | undefined): { values: number[]; id: string } | undefined {
  if (after === undefined) return undefined;
  if (kind === after.kind) return { values: [after.at], id: after.id };
  const isListedBefore = kind < after.kind;
  return { values: [after.at], id: isListedBefore ? '' : LAST_ID };
}

async function* derivedFrom(
  documents: DocumentStore,
  collection: string,
  client: string,
  members: (record: EventRecord) => readonly ScoredMember[],
): AsyncGenerator<readonly ScoredMember[]> {
  let after: { values: number[]; id: string } | undefined;
  for (;;) {
    const found = await documents.find(collection, {
      index: BY_CLIENT.name,
      equals: [client],
      ...(after === undefined ? {} : { after }),
      limit: REBUILD_PAGE,
    });
    const records = found.map(fromDocument);
    yield records.flatMap(members);
    const last = records.at(-1);
    if (last === undefined || records.length < REBUILD_PAGE) return;
    after = { values: [last.at], id: last.id };
  }
}
