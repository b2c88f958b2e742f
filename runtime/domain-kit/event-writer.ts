import type { Clock } from '../clock.ts';
import type { ErrorCode } from '../errors.ts';
import type { Cache, CacheWrite } from '../ports/cache.ts';
import type { DocumentStore, InsertResult } from '../ports/document-store.ts';
import type { EventLog, NewRecord } from '../ports/event-log.ts';
import type { EventStore } from '../ports/event-store.ts';
import { PortError } from '../ports/port-error.ts';
import type { Call } from './domain.ts';
import {
  type EventContent,
  type EventRecord,
  fromDocument,
  type LookupFields,
  toDocument,
  toLogValue,
} from './event.ts';
import { type Failed, failed, type FailureCause, type Outcome } from './outcome.ts';

/** The topic to which every stored event goes before it is acknowledged. */
export const LONG_TERM_STORAGE = 'long_term_storage';

/** What the domain thinks of a new event. A failure means that it cannot be told now. */
export type Judgement = 'accept' | { readonly refuse: ErrorCode } | Failed;

export interface EventWriterOptions<Req, Res> {
  /** Name of the operation. */
  readonly operation: string;
  readonly collection: string;
  readonly ports: {
    readonly events: EventStore;
    readonly documents: DocumentStore;
    readonly log: EventLog;
    readonly cache: Cache;
    readonly clock: Clock;
    readonly bootId: string;
  };
  /** Judges a whole batch at once; one judgement for each request, in their order. */
  readonly judge: (requests: readonly Req[]) => Promise<readonly Judgement[]>;
  readonly content: (request: Req) => EventContent;
  readonly lookup: (request: Req) => LookupFields;
  /** Writes to the cache that a stored event implies; they must be idempotent and commute. */
  readonly derive: (record: EventRecord) => readonly CacheWrite[];
  /** The answer, from the stored record alone, so that the first one and each later one are equal. */
  readonly respond: (record: EventRecord) => Res;
}

/** What the insert made of one call. */
type Decision =
  Stored | Extract<Outcome<never>, { verdict: 'REFUSED' | 'DISCARDED' | 'KEY_REUSED' | 'FAILED' }>;

interface Stored {
  readonly verdict: 'INSERTED' | 'DUPLICATED';
  readonly record: EventRecord;
}

interface Candidate {
  readonly index: number;
  readonly record: EventRecord;
}

/**
 * Makes the handler of a write: judge the batch, let one unordered insert decide, publish what was inserted to
 * `long_term_storage`, update the cache, and only then answer. Every step is idempotent and a resend repeats them all, so a
 * crash between two of them heals with the next try.
 */
export function eventWriter<Req, Res>(
  options: EventWriterOptions<Req, Res>,
): (calls: readonly Call<Req>[]) => Promise<readonly Outcome<Res>[]> {
  return async (calls) => {
    const decisions = await decide(options, calls);
    const failure = await spread(
      options,
      decisions.filter((decision) => 'record' in decision),
    );
    return decisions.map((decision): Outcome<Res> => {
      if (!('record' in decision)) return decision;
      return failure ?? { verdict: decision.verdict, response: options.respond(decision.record) };
    });
  };
}

async function decide<Req, Res>(
  options: EventWriterOptions<Req, Res>,
  calls: readonly Call<Req>[],
): Promise<readonly Decision[]> {
  const judgements = await judgeAll(options, calls);
  const at = options.ports.clock.now();
  const decisions = new Map<number, Decision>();
  const candidates: Candidate[] = [];
  calls.forEach((call, index) => {
    const judgement = judgements[index] ?? failed('INTERNAL', 'the domain gave no judgement', false);
    if (typeof judgement === 'object' && 'verdict' in judgement) {
      decisions.set(index, judgement);
      return;
    }
    const { eventId: id, bodyHash } = call;
    const accepted = judgement === 'accept';
    const verdict = accepted ? 'INSERTED' : judgement.refuse;
    const content = accepted ? options.content(call.request) : {};
    const lookup = accepted ? options.lookup(call.request) : {};
    const { bootId } = options.ports;
    candidates.push({ index, record: { id, bodyHash, verdict, at, bootId, content, lookup } });
  });
  await insert(options, candidates, decisions);
  return calls.map((_, index) => decisions.get(index) ?? failed('INTERNAL', 'no decision was made', true));
}

async function judgeAll<Req, Res>(
  options: EventWriterOptions<Req, Res>,
  calls: readonly Call<Req>[],
): Promise<readonly Judgement[]> {
  try {
    return await options.judge(calls.map((call) => call.request));
  } catch (error) {
    const failure = failureOf(error, 'CACHE_UNAVAILABLE', false);
    return calls.map(() => failure);
  }
}

/** Inserts the candidates. A batch that the store refuses as invalid is halved until the item at fault is alone. */
async function insert<Req, Res>(
  options: EventWriterOptions<Req, Res>,
  candidates: readonly Candidate[],
  decisions: Map<number, Decision>,
): Promise<void> {
  if (candidates.length === 0) return;
  const { operation, collection, ports } = options;
  let results: readonly InsertResult[];
  try {
    results = await ports.events.insertAndAppend(
      collection,
      candidates.map(({ record }) => ({
        document: toDocument(record),
        record: publication(operation, record),
      })),
    );
  } catch (error) {
    const invalid = error instanceof PortError && error.kind === 'invalid';
    if (!invalid || candidates.length === 1) {
      const failure = invalid
        ? failed('INVALID_REQUEST', error.message, false)
        : failureOf(error, causeOf(error), true);
      for (const { index } of candidates) decisions.set(index, failure);
      return;
    }
    const middle = Math.ceil(candidates.length / 2);
    await insert(options, candidates.slice(0, middle), decisions);
    await insert(options, candidates.slice(middle), decisions);
    return;
  }
  const duplicates: Candidate[] = [];
  candidates.forEach((candidate, position) => {
    if (results[position] === 'inserted') decisions.set(candidate.index, firstDecision(candidate.record));
    else duplicates.push(candidate);
  });
  await resolveDuplicates(options, duplicates, decisions);
}

/** Answers from what is stored already, whatever the judgement is now. */
async function resolveDuplicates<Req, Res>(
  options: EventWriterOptions<Req, Res>,
  duplicates: readonly Candidate[],
  decisions: Map<number, Decision>,
): Promise<void> {
  if (duplicates.length === 0) return;
  const ids = duplicates.map(({ record }) => record.id);
  try {
    const documents = await options.ports.documents.findByIds(options.collection, ids);
    duplicates.forEach(({ index, record }, position) => {
      const document = documents[position];
      decisions.set(
        index,
        document === undefined
          ? failed('STORE_UNAVAILABLE', 'a stored event is not readable yet', true)
          : laterDecision(fromDocument(document), record.bodyHash),
      );
    });
  } catch (error) {
    const failure = failureOf(error, 'STORE_UNAVAILABLE', true);
    for (const { index } of duplicates) decisions.set(index, failure);
  }
}

function firstDecision(record: EventRecord): Decision {
  if (record.verdict === 'INSERTED') return { verdict: 'INSERTED', record };
  return refusal(record);
}

function laterDecision(record: EventRecord, bodyHash: string): Decision {
  if (record.bodyHash !== bodyHash) return { verdict: 'KEY_REUSED' };
  if (record.verdict === 'INSERTED') return { verdict: 'DUPLICATED', record };
  return refusal(record);
}

function refusal({ verdict }: EventRecord): Decision {
  if (verdict === 'DISCARDED') return { verdict: 'DISCARDED' };
  if (verdict === 'INSERTED') throw new Error('an inserted event is no refusal');
  return { verdict: 'REFUSED', reason: verdict };
}

/** What is published of an event; nothing of one that was refused. */
function publication(operation: string, record: EventRecord): NewRecord | undefined {
  if (record.verdict !== 'INSERTED') return undefined;
  return { topic: LONG_TERM_STORAGE, key: record.id, value: toLogValue(operation, record) };
}

/**
 * Brings stored events to the cache, and duplicates to the log again: whether their first try came that far is
 * not known. Both must take them, else none of the batch is acknowledged.
 */
async function spread<Req, Res>(
  options: EventWriterOptions<Req, Res>,
  stored: readonly Stored[],
): Promise<Failed | undefined> {
  if (stored.length === 0) return undefined;
  const { cache, log } = options.ports;
  const again = stored
    .filter(({ verdict }) => verdict === 'DUPLICATED')
    .flatMap(({ record }) => publication(options.operation, record) ?? []);
  const [cached, published] = await Promise.allSettled([
    cache.apply(stored.flatMap(({ record }) => options.derive(record))),
    again.length === 0 ? undefined : log.append(again),
  ]);
  if (published.status === 'rejected') return failureOf(published.reason, 'LOG_UNAVAILABLE', true);
  if (cached.status === 'rejected') return failureOf(cached.reason, 'CACHE_UNAVAILABLE', true);
  return undefined;
}

function failureOf(error: unknown, cause: FailureCause, attempted: boolean): Failed {
  if (error instanceof PortError) return failed(cause, error.message, attempted);
  throw error;
}

/** Which of the two an event store could not reach. */
function causeOf(error: unknown): FailureCause {
  const isLog = error instanceof PortError && error.call.startsWith('event-log.');
  return isLog ? 'LOG_UNAVAILABLE' : 'STORE_UNAVAILABLE';
}
