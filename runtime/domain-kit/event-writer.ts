import type { Clock } from '../clock.ts';
import type { ErrorCode } from '../errors.ts';
import type { Cache, CacheWrite } from '../ports/cache.ts';
import type { DocumentStore } from '../ports/document-store.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { EventStore } from '../ports/event-store.ts';
import { PortError } from '../ports/port-error.ts';
import type { Call, Discard, WriteHandler } from './domain.ts';
import {
  type EventContent,
  type EventRecord,
  fromDocument,
  type LookupFields,
  toDocument,
  toLogRecord,
} from './event.ts';
import { insertEvents, type Insertion } from './event-insert.ts';
import { type Failed, failed, type FailureCause, type Outcome } from './outcome.ts';
import type { BatchEnd, EventPublications, OpenBatch, Publications } from './publications.ts';

/** What the domain thinks of a new event. A failure means that it cannot be told now. */
export type Judgement = 'accept' | { readonly refuse: ErrorCode } | Failed;

export interface EventWriterOptions<Req, Res> {
  /** Name of the operation. */
  readonly operation: string;
  /** Holds the events of this operation and no others: ids are unique within it. */
  readonly collection: string;
  readonly ports: {
    readonly events: EventStore;
    readonly documents: DocumentStore;
    readonly log: EventLog;
    readonly cache: Cache;
    readonly clock: Clock;
    readonly bootId: string;
    readonly publications?: Publications | undefined;
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

type WriteCall<Req> = Call<Req> | Discard;

/** A discard takes part without a judgement. */
type Judged = Judgement | 'discard';

/** What was made of one call. */
type Decision =
  Stored | Extract<Outcome<never>, { verdict: 'REFUSED' | 'DISCARDED' | 'KEY_REUSED' | 'FAILED' }>;

interface Stored {
  readonly verdict: 'INSERTED' | 'DUPLICATED';
  readonly record: EventRecord;
}

/** A call to insert, with what is to be stored for it. */
interface Candidate {
  readonly index: number;
  readonly record: EventRecord;
}

/** A call that is answered by what is stored already. */
interface Unsettled {
  readonly index: number;
  readonly id: string;
  readonly bodyHash: string;
  /** The answer where nothing is stored; undefined: something is, because the insert said so. */
  readonly failure: Failed | undefined;
}

/** A batch on its way to its decisions. */
interface Batch<Req> {
  readonly calls: readonly WriteCall<Req>[];
  readonly judgements: readonly Judged[];
  readonly decisions: Map<number, Decision>;
  readonly unsettled: Unsettled[];
}

/**
 * Makes the handler of a write: judge the batch, let one unordered insert decide, publish what was inserted to
 * `long_term_storage`, update the cache, and only then answer. Every step is idempotent and a resend repeats them
 * all, so a crash between two of them heals with the next try.
 */
export function eventWriter<Req, Res>(options: EventWriterOptions<Req, Res>): WriteHandler<Req, Res> {
  const publications = options.ports.publications?.of(options.operation, options.collection);
  return async (calls) => {
    const judgements = await judgeAll(options, calls);
    const batch: Batch<Req> = { calls, judgements, decisions: new Map(), unsettled: [] };
    await store(options, publications, batch);
    await settle(options, batch);
    const decisions = calls.map((_, index) => batch.decisions.get(index) ?? UNDECIDED);
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

const UNJUDGED = failed('INTERNAL', 'the domain gave no judgement', false);
const UNDECIDED = failed('INTERNAL', 'no decision was made', true);

/** What the domain thinks of each call, in their order. */
async function judgeAll<Req, Res>(
  options: EventWriterOptions<Req, Res>,
  calls: readonly WriteCall<Req>[],
): Promise<readonly Judged[]> {
  const requests: Req[] = [];
  for (const call of calls) if ('request' in call) requests.push(call.request);
  const judgements = requests.length === 0 ? [] : await judge(options, requests);
  if (requests.length === calls.length) return judgements;
  const remaining = judgements.values();
  return calls.map((call) => ('request' in call ? (remaining.next().value ?? UNJUDGED) : 'discard'));
}

async function judge<Req, Res>(
  options: EventWriterOptions<Req, Res>,
  requests: readonly Req[],
): Promise<readonly Judgement[]> {
  try {
    return await options.judge(requests);
  } catch (error) {
    const failure = failureOf(error, 'CACHE_UNAVAILABLE', false);
    return requests.map(() => failure);
  }
}

/** Lets the insert decide about what could be judged, and publishes what it inserted. */
async function store<Req, Res>(
  options: EventWriterOptions<Req, Res>,
  publications: EventPublications | undefined,
  batch: Batch<Req>,
): Promise<void> {
  const open = publications === undefined ? unannounced(options.ports.clock) : await begin(publications);
  if ('verdict' in open) {
    batch.calls.forEach((call, index) => postpone(batch, call, index, open));
    return;
  }
  let end: BatchEnd = 'published';
  try {
    const candidates = candidatesIn(options, batch, open.at);
    if (candidates.length === 0) return;
    end = 'unknown';
    ({ end } = await insert(options, batch, candidates));
  } finally {
    open.end(end);
  }
}

function unannounced(clock: Clock): OpenBatch {
  return { at: clock.now(), end: () => {} };
}

async function begin(publications: EventPublications): Promise<OpenBatch | Failed> {
  try {
    return await publications.begin();
  } catch (error) {
    return failureOf(error, 'STORE_UNAVAILABLE', false);
  }
}

/** Leaves a call to `settle`: what cannot be decided now may have been decided before. */
function postpone<Req>(
  { unsettled }: Batch<Req>,
  { eventId: id, bodyHash }: WriteCall<Req>,
  index: number,
  failure: Failed | undefined,
): void {
  unsettled.push({ index, id, bodyHash, failure });
}

function candidatesIn<Req, Res>(
  options: EventWriterOptions<Req, Res>,
  batch: Batch<Req>,
  at: number,
): readonly Candidate[] {
  const candidates: Candidate[] = [];
  batch.calls.forEach((call, index) => {
    const judged = batch.judgements[index] ?? UNJUDGED;
    if (typeof judged === 'object' && 'verdict' in judged) postpone(batch, call, index, judged);
    else candidates.push({ index, record: recordOf(options, call, judged, at) });
  });
  return candidates;
}

const NOTHING = {};

function recordOf<Req, Res>(
  { content, lookup, ports: { bootId } }: EventWriterOptions<Req, Res>,
  call: WriteCall<Req>,
  judged: Exclude<Judged, Failed>,
  at: number,
): EventRecord {
  const { eventId: id, bodyHash } = call;
  if (judged === 'accept' && 'request' in call) {
    const { request } = call;
    return {
      id,
      bodyHash,
      verdict: 'INSERTED',
      at,
      bootId,
      content: content(request),
      lookup: lookup(request),
    };
  }
  const verdict = typeof judged === 'object' ? judged.refuse : 'DISCARDED';
  return { id, bodyHash, verdict, at, bootId, content: NOTHING, lookup: NOTHING };
}

async function insert<Req, Res>(
  { operation, collection, ports }: EventWriterOptions<Req, Res>,
  batch: Batch<Req>,
  candidates: readonly Candidate[],
): Promise<Insertion> {
  const insertion = await insertEvents(
    ports.events,
    collection,
    candidates.map(({ record }) => ({
      document: toDocument(record),
      record: toLogRecord(operation, record),
    })),
  );
  candidates.forEach(({ index, record }, place) => {
    const result = insertion.results[place] ?? UNDECIDED;
    if (result === 'inserted') batch.decisions.set(index, decisionIn(record, 'INSERTED'));
    else if (result === 'duplicate') {
      batch.unsettled.push({ index, id: record.id, bodyHash: record.bodyHash, failure: undefined });
    } else batch.decisions.set(index, result);
  });
  return insertion;
}

/** Answers from what is stored already, whatever the judgement is now. */
async function settle<Req, Res>(
  { collection, ports }: EventWriterOptions<Req, Res>,
  { unsettled, decisions }: Batch<Req>,
): Promise<void> {
  if (unsettled.length === 0) return;
  try {
    const documents = await ports.documents.findByIds(
      collection,
      unsettled.map(({ id }) => id),
    );
    unsettled.forEach(({ index, bodyHash, failure = UNREADABLE }, place) => {
      const document = documents[place];
      decisions.set(
        index,
        document === undefined ? failure : laterDecision(fromDocument(document), bodyHash),
      );
    });
  } catch (error) {
    const unknown = failureOf(error, 'STORE_UNAVAILABLE', true);
    for (const { index, failure = unknown } of unsettled) decisions.set(index, failure);
  }
}

const UNREADABLE = failed('STORE_UNAVAILABLE', 'a stored event is not readable yet', true);

function laterDecision(record: EventRecord, bodyHash: string): Decision {
  return record.bodyHash === bodyHash ? decisionIn(record, 'DUPLICATED') : { verdict: 'KEY_REUSED' };
}

function decisionIn(record: EventRecord, stored: Stored['verdict']): Decision {
  if (record.verdict === 'INSERTED') return { verdict: stored, record };
  if (record.verdict === 'DISCARDED') return { verdict: 'DISCARDED' };
  return { verdict: 'REFUSED', reason: record.verdict };
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
    .flatMap(({ record }) => toLogRecord(options.operation, record) ?? []);
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
