import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Clock } from '../clock.ts';
import type { Cache } from '../ports/cache.ts';
import type { CollectionSpec, DocumentStore } from '../ports/document-store.ts';
import type { EventLog, TopicSpec } from '../ports/event-log.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { AnyOperation, Codec, Operation } from './operation.ts';
import type { Publications } from './publications.ts';
import { type Answer, type Failed, failed, type Outcome } from './outcome.ts';

/**
 * Business logic that plugs into the roles. A domain is a folder that exports one of these, and one line in
 * the registry. It never opens a connection, reads an environment variable or starts a timer of its own.
 */
export interface Domain {
  /** As it stands in `spec.domains`. */
  readonly name: string;
  /** What dispatchers ask workers to do. */
  readonly operations: readonly AnyOperation[];
  /** Collections and topics that must exist before the domain's workers start. */
  readonly collections: readonly CollectionSpec[];
  readonly topics: readonly TopicSpec[];
  /** HTTP to operations; called in each dispatcher. */
  readonly routes?: (http: DomainHttp, dispatch: Dispatch) => void;
  /** The operations' handlers; called in each worker. */
  readonly serve: (ports: DomainPorts) => readonly ServedOperation[];
  /** Topics that workers consume; called in each worker. */
  readonly flows?: (ports: DomainPorts) => readonly InboundFlow[];
  /** Tasks that run on a schedule, each in one worker at a time; called in each worker. */
  readonly background?: (ports: DomainPorts) => readonly BackgroundTask[];
}

/** The dispatcher's HTTP server, with types and validation from TypeBox schemas. */
export type DomainHttp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What a domain's routes can do besides HTTP. Dispatchers reach no database. */
export interface Dispatch {
  /**
   * Sends an operation to a worker. Never rejects and always resolves within the operation's time-out; a write
   * stores its event under `eventId`. A write that may be parked has the platform's `retry.deadline` in its
   * place, and on top of it the time that parking takes.
   */
  ask<Req, Res>(operation: Operation<Req, Res>, request: Req, eventId?: string): Promise<Answer<Res>>;
}

/** The stores as a domain's workers see them: calls are timed, bounded and measured. */
export interface DomainPorts {
  /** Stores events and publishes them in one go. */
  readonly events: EventStore;
  readonly documents: DocumentStore;
  readonly log: EventLog;
  readonly cache: Cache;
  readonly clock: Clock;
  /** Names this start of the worker in what it stores. */
  readonly bootId: string;
  /** Account of what is stored and not yet published; absent where `events` is atomic. */
  readonly publications?: Publications | undefined;
  /** For events that an operator should know of; never with client data. */
  readonly logger: DomainLogger;
}

export interface DomainLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One operation as a handler gets it. */
export interface Call<Req> {
  readonly request: Req;
  /** Writes only; empty for reads. */
  readonly eventId: string;
  /** Writes only: SHA-256 of the operation's name and request, in base64url; empty for reads. */
  readonly bodyHash: string;
}

/**
 * Writes only: an administrator gives an event up, so the verdict DISCARDED is stored in its place. What was asked
 * does not matter any more, and may be something that does not even decode.
 */
export interface Discard {
  readonly discard: true;
  readonly eventId: string;
  readonly bodyHash: string;
}

/** One operation as it came in. With `discard` its request is never carried out. */
export interface EncodedCall extends Call<Uint8Array> {
  readonly discard?: boolean;
}

/** Handles a batch; resolves to one outcome for each call, in their order. May reject: then all have failed. */
export type BatchHandler<Req, Res> = (calls: readonly Call<Req>[]) => Promise<readonly Outcome<Res>[]>;

/** Handles a batch of writes and discards, as a `BatchHandler` does. */
export type WriteHandler<Req, Res> = (
  calls: readonly (Call<Req> | Discard)[],
) => Promise<readonly Outcome<Res>[]>;

/** An operation with its handler, types closed over: bytes in, bytes out. */
export interface ServedOperation {
  readonly operation: AnyOperation;
  /** At most this many calls in one batch. */
  readonly maxBatch: number;
  /** How many batches may be worked on at once. */
  readonly concurrency: number;
  /** Requests that do not decode come back as failed; the handler does not see them. */
  readonly handle: (calls: readonly EncodedCall[]) => Promise<readonly Outcome<Uint8Array>[]>;
}

/** A topic that the domain's workers consume in one group. */
export interface InboundFlow {
  readonly topic: string;
  /** Applies a batch durably; the offset is committed when it resolves. Rejecting means: deliver again. */
  readonly apply: (
    records: readonly { readonly key: string | null; readonly value: Uint8Array | null }[],
  ) => Promise<void>;
}

/** Work on a schedule, under a lease: one worker at a time does it. */
export interface BackgroundTask {
  readonly name: string;
  /** Pause between two runs, in ms. */
  readonly everyMs: number;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export interface ServeOptions {
  readonly maxBatch?: number;
  readonly concurrency?: number;
}

/**
 * Binds an operation to its handler, which gets no discards: they come back as failed. Defaults: 256 calls a batch;
 * two batches at once.
 */
export function serve<Req, Res>(
  operation: Operation<Req, Res>,
  handler: BatchHandler<Req, Res>,
  options: ServeOptions = {},
): ServedOperation {
  return bind(operation, options, (calls) =>
    handleEncoded(operation, handler, calls, (call) =>
      call.discard === true ? UNDISCARDABLE : decoded(operation, call),
    ),
  );
}

/** Binds a write to its handler, which gets discards too; else as `serve`. */
export function serveWrite<Req, Res>(
  operation: Operation<Req, Res>,
  handler: WriteHandler<Req, Res>,
  options: ServeOptions = {},
): ServedOperation {
  return bind(operation, options, (calls) =>
    handleEncoded<Call<Req> | Discard, Res>(operation, handler, calls, (call) =>
      call.discard === true
        ? { discard: true, eventId: call.eventId, bodyHash: call.bodyHash }
        : decoded(operation, call),
    ),
  );
}

function bind(
  operation: AnyOperation,
  { maxBatch = 256, concurrency = 2 }: ServeOptions,
  handle: ServedOperation['handle'],
): ServedOperation {
  return { operation, maxBatch, concurrency, handle };
}

/** Where a call cannot be given to the handler, it is answered with the failure that `accept` makes of it. */
async function handleEncoded<Accepted extends object, Res>(
  { name, response }: Pick<Operation<never, Res>, 'name' | 'response'>,
  handler: (calls: readonly Accepted[]) => Promise<readonly Outcome<Res>[]>,
  calls: readonly EncodedCall[],
  accept: (call: EncodedCall) => Accepted | Failed,
): Promise<readonly Outcome<Uint8Array>[]> {
  const accepted: Accepted[] = [];
  const failures = new Map<number, Failed>();
  calls.forEach((call, index) => {
    const result = accept(call);
    if ('verdict' in result) failures.set(index, result);
    else accepted.push(result);
  });
  const outcomes = accepted.length === 0 ? [] : await handler(accepted);
  if (outcomes.length !== accepted.length) {
    throw new Error(`${name}: ${outcomes.length} outcomes for ${accepted.length} calls`);
  }
  const remaining = outcomes.values();
  return calls.map((_, index) => failures.get(index) ?? encodeOutcome(response, remaining.next().value));
}

const UNDECODABLE = failed('INVALID_REQUEST', 'the request did not decode', false);
const UNDISCARDABLE = failed(
  'INVALID_REQUEST',
  'the operation stores no event that could be discarded',
  false,
);

function decoded<Req, Res>(
  { request: codec }: Operation<Req, Res>,
  { request, eventId, bodyHash }: EncodedCall,
): Call<Req> | Failed {
  try {
    return { request: codec.decode(request), eventId, bodyHash };
  } catch {
    // Any bytes that are not the message.
    return UNDECODABLE;
  }
}

function encodeOutcome<Res>(codec: Codec<Res>, outcome: Outcome<Res> | undefined): Outcome<Uint8Array> {
  if (outcome === undefined) throw new Error('fewer outcomes than calls');
  if (!('response' in outcome)) return outcome;
  return { verdict: outcome.verdict, response: codec.encode(outcome.response).finish() };
}
