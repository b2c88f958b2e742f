import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Clock } from '../../clock.ts';
import { eventLocation, EventId, nextCursor, PageQuery, pageOf } from '../../domain-kit/http.ts';
import { PlatformError } from '../../errors.ts';
import type { Logger } from '../../logging.ts';
import type { ParkedWrite } from '../../parking/parked-write.ts';
import type { Parking } from '../../parking/parking.ts';
import { discardParked } from './discard-parked.ts';
import { createProblemServer } from './problem-server.ts';
import type { Resend } from './resend.ts';
import { known } from './state-unknown.ts';

export interface AdminServerOptions {
  readonly parking: Pick<Parking, 'find' | 'list' | 'retry' | 'resolve'>;
  readonly discard: Resend['discard'];
  readonly clock: Clock;
  readonly logger: Logger;
}

const REQUEST_TIMEOUT_MS = 10_000;

const ListQuery = Type.Object(
  {
    ...PageQuery.properties,
    state: Type.Optional(Type.Enum(['PARKED', 'DEAD_LETTER'], { description: 'default PARKED' })),
  },
  { additionalProperties: false },
);

const ParkedPath = Type.Object(
  { operation: Type.String({ maxLength: 128 }), id: EventId },
  { additionalProperties: false },
);

const BodyQuery = Type.Object(
  {
    bodyHash: Type.Optional(
      Type.String({ description: 'needed where several bodies are parked under one id' }),
    ),
  },
  { additionalProperties: false },
);

/** A parked write as an administrator sees it: what it is about stays unseen. */
const ParkedItem = Type.Object({
  operation: Type.String(),
  id: Type.String(),
  bodyHash: Type.String(),
  state: Type.Enum(['PARKED', 'DEAD_LETTER']),
  parkedAt: Type.String({ format: 'date-time' }),
  dueAt: Type.String({
    format: 'date-time',
    description: 'next attempt; of a dead letter: when it was set aside',
  }),
  attempts: Type.Integer({ description: 'how often it failed by its own fault' }),
  cause: Type.String(),
  message: Type.String(),
  location: Type.String({ description: 'path on the public port that tells its state' }),
});

const ParkedList = Type.Object({
  items: Type.Array(ParkedItem),
  cursor: Type.Union([Type.String(), Type.Null()]),
});

const Discarded = Type.Object({
  operation: Type.String(),
  id: Type.String(),
  bodyHash: Type.String(),
  state: Type.Literal('DISCARDED'),
});

/**
 * The administrator's server, without listening: it lists parked writes and dead letters, and has them sent again
 * or discarded. It asks for no proof of who is calling, so it must be bound to loopback only.
 */
export function createAdminServer(options: AdminServerOptions): FastifyInstance {
  const http = createProblemServer(options.logger, REQUEST_TIMEOUT_MS);
  takeNoBodies(http);
  listRoute(http, options);
  retryRoute(http, options);
  discardRoute(http, options);
  return http;
}

/** No route takes a body; an empty one is fine under any media type, as clients send it. */
function takeNoBodies(http: FastifyInstance): void {
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body.length === 0) done(null);
    else done(new PlatformError('INVALID_REQUEST', 'this route takes no body; leave it out'));
  });
}

function listRoute(server: FastifyInstance, { parking }: AdminServerOptions): void {
  const http = server.withTypeProvider<TypeBoxTypeProvider>();
  const schema = { querystring: ListQuery, response: { 200: ParkedList } };
  http.get('/parked', { schema }, async ({ query }): Promise<Static<typeof ParkedList>> => {
    const { state = 'PARKED' } = query;
    const scope = `parked:${state}`;
    const { limit, after } = pageOf(query, scope);
    const position = after === undefined ? {} : { after: { dueAt: after.at, id: after.id } };
    const { writes, next } = await known('what is parked', parking.list({ state, limit, ...position }));
    const cursor = next && { at: next.dueAt, kind: '', id: next.id };
    return { items: writes.map(itemOf), cursor: nextCursor(scope, cursor) };
  });
}

function retryRoute(server: FastifyInstance, { parking, clock, logger }: AdminServerOptions): void {
  const http = server.withTypeProvider<TypeBoxTypeProvider>();
  const schema = { params: ParkedPath, querystring: BodyQuery, response: { 202: ParkedItem } };
  http.post('/parked/:operation/:id/retry', { schema }, async ({ params, query }, reply) => {
    const write = await findOne(parking, { ...params, ...query });
    await known('whether it is sent again now; ask for it again', parking.retry(write));
    const { operation, eventId, state, attempts, cause } = write;
    logger.info(
      { operation, eventId, state, attempts, cause },
      'an administrator has a parked write sent again',
    );
    reply.code(202);
    return itemOf({ ...write, state: 'PARKED', attempts: 0, dueAt: clock.now() });
  });
}

function discardRoute(server: FastifyInstance, { parking, discard, logger }: AdminServerOptions): void {
  const http = server.withTypeProvider<TypeBoxTypeProvider>();
  const schema = { params: ParkedPath, querystring: BodyQuery, response: { 200: Discarded } };
  http.delete('/parked/:operation/:id', { schema }, async ({ params, query }) => {
    const write = await findOne(parking, { ...params, ...query });
    await discardParked({ parking, discard, logger }, write);
    const { operation, eventId: id, bodyHash } = write;
    return { operation, id, bodyHash, state: 'DISCARDED' as const };
  });
}

interface Wanted {
  readonly operation: string;
  readonly id: string;
  readonly bodyHash?: string;
}

/** The one write that is meant. Throws NOT_PARKED, or SEVERAL_PARKED where it is not clear which one is meant. */
async function findOne(
  parking: Pick<Parking, 'find'>,
  { operation, id, bodyHash }: Wanted,
): Promise<ParkedWrite> {
  const all = await known('what is parked', parking.find(operation, id));
  const meant = all.filter((write) => bodyHash === undefined || write.bodyHash === bodyHash);
  const [write] = meant;
  const bodyHashes = all.map((each) => each.bodyHash);
  if (write === undefined) {
    const what = all.length === 0 ? `no ${operation}` : `no ${operation} with this bodyHash`;
    throw new PlatformError('NOT_PARKED', `${what} is parked under this id`, { operation, id, bodyHashes });
  }
  if (meant.length > 1) {
    const message = `${meant.length} writes of ${operation} are parked under this id`;
    throw new PlatformError('SEVERAL_PARKED', message, { operation, id, bodyHashes });
  }
  return write;
}

function itemOf(write: ParkedWrite): Static<typeof ParkedItem> {
  const { operation, eventId: id, bodyHash, state, parkedAt, dueAt, attempts, cause, message } = write;
  return {
    operation,
    id,
    bodyHash,
    state,
    parkedAt: new Date(parkedAt).toISOString(),
    dueAt: new Date(dueAt).toISOString(),
    attempts,
    cause,
    message,
    location: eventLocation(operation, id),
  };
}
