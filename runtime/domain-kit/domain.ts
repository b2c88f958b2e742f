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
import type { Answer, Outcome } from './outcome.ts';

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
   * stores its event under `eventId`.
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
  /** Writes only: an administrator gives the event up, so the verdict DISCARDED is stored in its place. */
  readonly discard?: boolean;
}

/** Handles a batch; resolves to one outcome for each call, in their order. May reject: then all have failed. */
export type BatchHandler<Req, Res> = (calls: readonly Call<Req>[]) => Promise<readonly Outcome<Res>[]>;

/** An operation with its handler, types closed over: bytes in, bytes out. */
export interface ServedOperation {
  readonly operation: AnyOperation;
  /** At most this many calls in one batch. */
  readonly maxBatch: number;
  /** How many batches may be worked on at once. */
  readonly concurrency: number;
  /** Requests that do not decode come back as failed; the handler does not see them. */
  readonly handle: (calls: readonly Call<Uint8Array>[]) => Promise<readonly Outcome<Uint8Array>[]>;
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

/** Binds an operation to its handler. Defaults: 256 calls a batch; two batches at once. */
export function serve<Req, Res>(
  operation: Operation<Req, Res>,
  handler: BatchHandler<Req, Res>,
  options: ServeOptions = {},
): ServedOperation {
  return {
    operation,
    maxBatch: options.maxBatch ?? 256,
    concurrency: options.concurrency ?? 2,
    handle: (calls) => handleEncoded(operation, handler, calls),
  };
}

async function handleEncoded<Req, Res>(
  operation: Operation<Req, Res>,
  handler: BatchHandler<Req, Res>,
  calls: readonly Call<Uint8Array>[],
): Promise<readonly Outcome<Uint8Array>[]> {
  const decoded: Call<Req>[] = [];
  const undecodable = new Set<number>();
  calls.forEach((call, index) => {
    const request = tryDecode(operation.request, call.request);
    if (request === undefined) undecodable.add(index);
    else decoded.push({ request: request.message, eventId: call.eventId, bodyHash: call.bodyHash });
  });
  const outcomes = decoded.length === 0 ? [] : await handler(decoded);
  if (outcomes.length !== decoded.length) {
    throw new Error(`${operation.name}: ${outcomes.length} outcomes for ${decoded.length} calls`);
  }
  const remaining = outcomes.values();
  return calls.map((_, index) =>
    undecodable.has(index) ? UNDECODABLE : encodeOutcome(operation.response, remaining.next().value),
  );
}

const UNDECODABLE: Outcome<Uint8Array> = {
  verdict: 'FAILED',
  cause: 'INVALID_REQUEST',
  message: 'the request did not decode',
  attempted: false,
};

function tryDecode<T>(codec: Codec<T>, bytes: Uint8Array): { readonly message: T } | undefined {
  try {
    return { message: codec.decode(bytes) };
  } catch {
    // Any bytes that are not the message: the caller reports them as INVALID_REQUEST.
    return undefined;
  }
}

function encodeOutcome<Res>(codec: Codec<Res>, outcome: Outcome<Res> | undefined): Outcome<Uint8Array> {
  if (outcome === undefined) throw new Error('fewer outcomes than calls');
  if (!('response' in outcome)) return outcome;
  return { verdict: outcome.verdict, response: codec.encode(outcome.response).finish() };
}
