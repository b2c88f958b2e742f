import type { FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { type Position, decodeCursor, encodeCursor } from './cursor.ts';
import { newEventId } from './event-id.ts';
import { MAX_NAME, NAME_PATTERN } from './name.ts';
import type { AnyOperation } from './operation.ts';
import type { Answer, Failed } from './outcome.ts';

/**
 * A name of a client, a branch and the like: 1 to 128 visible characters, with single spaces between them.
 * Control characters, other white space and unpaired surrogates are no names.
 */
export const Name = Type.String({
  minLength: 1,
  maxLength: MAX_NAME,
  pattern: NAME_PATTERN,
  description: '1 to 128 visible characters; single spaces between them',
});

/** A positive whole number of minor units (cents). */
export const Amount = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'in minor units (cents)',
});

const EVENT_ID = /^[\x21-\x7e]{1,128}$/;

/** The optional `id` of a write's body. */
export const EventId = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[\\x21-\\x7e]+$',
  description: 'id of the event and idempotency key, where the Idempotency-Key header is not sent',
});

/** Headers of a write. The value is checked by `eventIdOf`, whose error is clearer than a schema's. */
export const WriteHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        'Names this event: the same key with the same body is answered the same and stored once. ' +
        '1 to 128 printable ASCII characters without spaces.',
    }),
  ),
});

/** Query of a paged list. */
export const PageQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.String({ pattern: '^([1-9]|[1-9][0-9]|100)$', description: '1 to 100; default 20' }),
    ),
    cursor: Type.Optional(Type.String({ minLength: 1, description: 'the `cursor` of the page before' })),
  },
  { additionalProperties: false },
);

const DEFAULT_LIMIT = 20;

/** How an answer of a problem looks (RFC 9457), for the API description. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:mini-platform:error:<code>' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'stable; see docs/errors.md' }),
    detail: Type.String(),
    remedy: Type.String({ description: 'what to do' }),
    requestId: Type.String(),
  },
  { additionalProperties: true, description: 'problem' },
);

/** Problem answers that every route can give. */
export const problems = { '4xx': Problem, '5xx': Problem };

/** The answer to a write that is kept durably, because it could not be stored now. */
export const ParkedJson = Type.Object(
  {
    operation: Type.String(),
    id: Type.String({ description: 'of the event' }),
    state: Type.Literal('PARKED'),
    location: Type.String({ description: 'tells what becomes of it; also in the Location header' }),
  },
  { description: 'kept durably, and sent again until it is stored or refused' },
);

export type ParkedJson = Static<typeof ParkedJson>;

/** Path of what tells the state of an event. */
export function eventLocation(operation: string, eventId: string): string {
  return `/events/${encodeURIComponent(operation)}/${encodeURIComponent(eventId)}`;
}

/**
 * The id of the event that a write stores: the Idempotency-Key header, or the body's id, or a new UUIDv7.
 * Throws INVALID_IDEMPOTENCY_KEY when a key is not usable or the two differ.
 */
export function eventIdOf(header: string | undefined, bodyId: string | undefined): string {
  // The IETF draft writes the key as a quoted string; most clients send it bare.
  const key = header?.replace(/^"(.*)"$/, '$1');
  if (key !== undefined && !EVENT_ID.test(key)) {
    throw new PlatformError('INVALID_IDEMPOTENCY_KEY', 'the Idempotency-Key header is not a usable key');
  }
  if (key !== undefined && bodyId !== undefined && key !== bodyId) {
    throw new PlatformError(
      'INVALID_IDEMPOTENCY_KEY',
      'the Idempotency-Key header and the id in the body differ',
    );
  }
  return key ?? bodyId ?? newEventId();
}

/** What a paged list was asked for; throws INVALID_CURSOR. `scope` names the list. */
export function pageOf(
  query: { readonly limit?: string; readonly cursor?: string },
  scope: string,
): { readonly limit: number; readonly after: Position | undefined } {
  return {
    limit: query.limit === undefined ? DEFAULT_LIMIT : Number(query.limit),
    after: query.cursor === undefined ? undefined : decodeCursor(scope, query.cursor),
  };
}

/** The `cursor` of an answer: null on the last page. */
export function nextCursor(scope: string, next: Position | undefined): string | null {
  return next === undefined ? null : encodeCursor(scope, next);
}

/** A write, as its route asked for it. */
export interface AskedWrite<Res, Json> {
  readonly operation: AnyOperation;
  readonly eventId: string;
  /** The stored event as clients see it. */
  readonly json: (response: Res) => Json;
}

/**
 * The answer to a write: the stored event, with status 201 for the first and 200 for a repeated one, or that it
 * is parked, with status 202 and where to ask for its state. Throws the problem else.
 */
export function answerWrite<Res, Json>(
  reply: FastifyReply,
  outcome: Answer<Res>,
  { operation, eventId, json }: AskedWrite<Res, Json>,
): Json | ParkedJson {
  switch (outcome.verdict) {
    case 'INSERTED':
    case 'ANSWERED':
      reply.code(201);
      return json(outcome.response);
    case 'DUPLICATED':
      reply.code(200);
      return json(outcome.response);
    case 'REFUSED':
      throw new PlatformError(outcome.reason, 'the event was refused', { id: eventId });
    case 'DISCARDED':
      throw new PlatformError('EVENT_DISCARDED', 'the event was discarded', { id: eventId });
    case 'KEY_REUSED':
      throw new PlatformError('IDEMPOTENCY_KEY_REUSED', 'an event with this id and another body exists', {
        id: eventId,
      });
    case 'PARKED':
      return parked(reply, operation.name, eventId);
    case 'FAILED':
      throw writeProblem(outcome, eventId);
  }
}

function parked(reply: FastifyReply, operation: string, id: string): ParkedJson {
  const location = eventLocation(operation, id);
  reply.code(202).header('location', location);
  return { operation, id, state: 'PARKED', location };
}

/** A read's answer; throws the problem when there is none. */
export function answerRead<Res>(outcome: Answer<Res>): Res {
  if ('response' in outcome) return outcome.response;
  if (outcome.verdict !== 'FAILED')
    throw new PlatformError('INTERNAL', `a read cannot be ${outcome.verdict}`);
  const code = outcome.attempted ? 'READ_FAILED' : 'NOT_ATTEMPTED';
  throw new PlatformError(code, outcome.message, { cause: outcome.cause });
}

function writeProblem({ cause, message, attempted }: Failed, id: string): PlatformError {
  if (cause === 'INVALID_REQUEST') return new PlatformError('INTERNAL', message, { id, cause });
  return new PlatformError(attempted ? 'OUTCOME_UNKNOWN' : 'NOT_ATTEMPTED', message, { id, cause });
}
