import { type Static, Type } from 'typebox';
import type { Dispatch, Domain, DomainHttp } from '../../domain-kit/domain.ts';
import { eventStateOf } from '../../domain-kit/event-state.ts';
import { EventId, problems } from '../../domain-kit/http.ts';
import type { AnyOperation } from '../../domain-kit/operation.ts';
import { PlatformError } from '../../errors.ts';
import type { EventState } from '../../generated/miniplatform/events/v1/events.ts';
import type { ParkedWrite } from '../../parking/parked-write.ts';
import type { Parking } from '../../parking/parking.ts';
import { PortError } from '../../ports/port-error.ts';

export interface EventRoutesOptions {
  readonly domains: readonly Pick<Domain, 'operations'>[];
  readonly dispatch: Dispatch;
  /** Absent where writes are not parked. */
  readonly parking?: Pick<Parking, 'find'> | undefined;
}

const EventPath = Type.Object(
  {
    operation: Type.String({
      maxLength: 128,
      description: 'name of the write, for example bank.transaction',
    }),
    id: { ...EventId, description: 'its idempotency key, or the id that the platform gave it' },
  },
  { additionalProperties: false },
);

const Named = { operation: Type.String(), id: Type.String() };
const Time = Type.String({ format: 'date-time' });

const DecidedJson = Type.Object({ ...Named, state: Type.Enum(['STORED', 'DISCARDED']), at: Time });

const RefusedJson = Type.Object({
  ...Named,
  state: Type.Literal('REFUSED'),
  code: Type.String({ description: 'why, for example FRAUDULENT' }),
  at: Time,
});

const Kept = {
  ...Named,
  parkedAt: Time,
  attempts: Type.Integer({ description: 'how often it failed by its own fault' }),
  cause: Type.String({ description: 'of the last failure' }),
  message: Type.String(),
  otherBodies: Type.Integer({
    description:
      'writes of other content under the same id, later than this one; at most one of all is stored',
  }),
};

const WaitingJson = Type.Object({ ...Kept, state: Type.Literal('PARKED'), nextAttemptAt: Time });

const DeadLetterJson = Type.Object(
  { ...Kept, state: Type.Literal('DEAD_LETTER') },
  { description: 'set aside until an administrator has it sent again or discards it' },
);

const EventStateJson = Type.Union([DecidedJson, RefusedJson, WaitingJson, DeadLetterJson]);

type EventStateJson = Static<typeof EventStateJson>;

/** The event that is asked for. */
interface Asked {
  readonly operation: AnyOperation;
  readonly id: string;
}

/** Adds the route that tells what became of a write: `GET /events/{operation}/{id}`. */
export function addEventRoutes(http: DomainHttp, options: EventRoutesOptions): void {
  const writes = new Map(
    options.domains
      .flatMap(({ operations }) => operations)
      .filter(({ kind }) => kind === 'write')
      .map((operation) => [operation.name, operation]),
  );
  const schema = {
    tags: ['events'],
    summary: 'What became of a write',
    params: EventPath,
    response: { 200: EventStateJson, ...problems },
  };
  http.get('/events/:operation/:id', { schema }, ({ params }): Promise<EventStateJson> => {
    const operation = writes.get(params.operation);
    if (operation !== undefined) return stateOf(options, { operation, id: params.id });
    const operations = [...writes.keys()];
    const message = `there is no write ${params.operation}; there are: ${operations.join(', ')}`;
    throw new PlatformError('NOT_FOUND', message, { operations });
  });
}

/**
 * Asks the store, then the parked writes, then the store once more: a write leaves the parked ones only when the
 * store has decided, so that one of the three knows it. What cannot be told is never answered as not found.
 */
async function stateOf(options: EventRoutesOptions, asked: Asked): Promise<EventStateJson> {
  const stored = await askStore(options.dispatch, asked);
  if ('found' in stored && stored.found) return storedJson(asked, stored);
  const parked = await findParked(options.parking, asked);
  if ('writes' in parked && parked.writes.length > 0) return parkedJson(parked.writes);
  if ('unknown' in stored) throw unknown(asked, stored.unknown);
  if ('unknown' in parked) throw unknown(asked, parked.unknown);
  const again = await askStore(options.dispatch, asked);
  if ('unknown' in again) throw unknown(asked, again.unknown);
  if (again.found) return storedJson(asked, again);
  const { operation, id } = asked;
  throw new PlatformError('EVENT_NOT_FOUND', `no ${operation.name} is stored or parked under this id`, {
    id,
  });
}

/** Why something could not be told. */
interface Unknown {
  readonly unknown: string;
}

async function askStore(dispatch: Dispatch, { operation, id }: Asked): Promise<EventState | Unknown> {
  const outcome = await dispatch.ask(eventStateOf(operation), { eventId: id });
  if ('response' in outcome) return outcome.response;
  const reason = outcome.verdict === 'FAILED' ? outcome.message : `the worker answered ${outcome.verdict}`;
  return { unknown: `the store could not be asked: ${reason}` };
}

async function findParked(
  parking: Pick<Parking, 'find'> | undefined,
  { operation, id }: Asked,
): Promise<{ readonly writes: readonly ParkedWrite[] } | Unknown> {
  try {
    return { writes: (await parking?.find(operation.name, id)) ?? [] };
  } catch (error) {
    if (error instanceof PortError) {
      return { unknown: `the parked writes could not be asked: ${error.message}` };
    }
    throw error;
  }
}

function storedJson({ operation, id }: Asked, { verdict, at: ms }: EventState): EventStateJson {
  const common = { operation: operation.name, id, at: timeOf(ms) };
  if (verdict === 'INSERTED') return { ...common, state: 'STORED' };
  if (verdict === 'DISCARDED') return { ...common, state: 'DISCARDED' };
  return { ...common, state: 'REFUSED', code: verdict };
}

/** The first use of the id; the others, if there are any, can be stored only if that one never is. */
function parkedJson(writes: readonly ParkedWrite[]): EventStateJson {
  const [first] = [...writes].sort((a, b) => a.parkedAt - b.parkedAt);
  if (first === undefined) throw new Error('nothing is parked');
  const { operation, eventId: id, parkedAt, dueAt, attempts, cause, message } = first;
  const otherBodies = writes.length - 1;
  const common = { operation, id, parkedAt: timeOf(parkedAt), attempts, cause, message, otherBodies };
  return first.state === 'PARKED'
    ? { ...common, state: 'PARKED', nextAttemptAt: timeOf(dueAt) }
    : { ...common, state: 'DEAD_LETTER' };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function unknown({ operation, id }: Asked, reason: string): PlatformError {
  return new PlatformError('STATE_UNKNOWN', reason, { operation: operation.name, id });
}
