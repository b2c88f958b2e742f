import { hash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Dispatch } from '../../domain-kit/domain.ts';
import { eventStateOf } from '../../domain-kit/event-state.ts';
import type { AnyOperation, Operation } from '../../domain-kit/operation.ts';
import {
  type Answer,
  type Failed,
  failed,
  type FailureCause,
  type Outcome,
} from '../../domain-kit/outcome.ts';
import { fromWire } from '../../domain-kit/outcome-wire.ts';
import { LogLimiter } from '../../log-limiter.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import { attempt, NO_MEMBER, type Prepared, refusal } from './attempt.ts';
import type { Member } from './member.ts';
import type { Members, Wanted } from './members.ts';
import { OWNER_UNKNOWN, type ParkingUse, WriteParker } from './write-parker.ts';

export interface DispatchOptions {
  readonly members: Pick<Members, 'choose'>;
  /** Undefined: a write that is not decided is given back to the client, who asks again. */
  readonly parking: ParkingUse | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'operations' | 'operationRetries'>;
}

/** Share of the whole time-out that the first try may take, so that a second one has time left. */
const FIRST_TRY_SHARE = 0.6;

/** Failures that neither another member nor another time can mend: the request itself is at fault. */
const FINAL: ReadonlySet<FailureCause> = new Set(['INVALID_REQUEST', 'REPLY_TOO_LARGE']);

const NO_HASH = new Uint8Array(0);

/**
 * Makes the dispatcher's way to its members: chooses one, sends, and where the outcome is not decided tries one
 * other member within the time-out. That is safe: writes carry their event's id. A write that is not decided
 * even so is parked, if its operation says that it may be.
 */
export function createDispatch(options: DispatchOptions): Dispatch {
  const { members, clock, logger, metrics } = options;
  const limiter = new LogLimiter(clock);
  const writeParker =
    options.parking &&
    new WriteParker({
      ...options.parking,
      stateOf: async (operation, eventId, timeoutMs) => {
        const outcome = await dispatch.ask({ ...eventStateOf(operation), timeoutMs }, { eventId });
        return 'response' in outcome ? outcome.response : undefined;
      },
      clock,
      logger,
      limiter,
    });
  function finish<Req, Res>(
    operation: Operation<Req, Res>,
    prepared: Prepared,
    outcome: Answer<Uint8Array>,
    started: number,
  ): Answer<Res> {
    metrics.operations.observe((clock.monotonic() - started) / 1000, operation.name, outcome.verdict);
    if ('response' in outcome) return decodeResponse(operation, outcome.verdict, outcome.response);
    if (outcome.verdict === 'FAILED') report(logger, limiter, prepared, outcome);
    return outcome;
  }
  const dispatch: Dispatch = {
    async ask<Req, Res>(operation: Operation<Req, Res>, request: Req, eventId = ''): Promise<Answer<Res>> {
      const started = clock.monotonic();
      const prepared = prepare(operation, request, eventId);
      const parker = operation.parked ? writeParker : undefined;
      const timeoutMs = timeoutOf(operation, parker);
      // The usual case, that nothing at all is parked, waits for nothing here.
      const checking = parker?.check(operation, prepared);
      let outcome: Answer<Uint8Array> | undefined = checking === undefined ? undefined : await checking;
      if (outcome === undefined) {
        const choice = members.choose(prepared.wanted);
        if ('member' in choice) {
          outcome = fromWire(await attempt(choice.member, prepared, timeoutMs * FIRST_TRY_SHARE));
          if (isOpen(outcome)) {
            const deadline = started + timeoutMs;
            outcome = await tryAgain(options, { prepared, member: choice.member, outcome, deadline });
          }
        } else {
          outcome = refusal(choice);
        }
      }
      if (parker !== undefined && isToBeParked(outcome)) {
        outcome = await parker.park(prepared, outcome);
      }
      return finish(operation, prepared, outcome, started);
    },
  };
  return dispatch;
}

function prepare<Req, Res>(operation: Operation<Req, Res>, message: Req, eventId: string): Prepared {
  const { name, kind, key } = operation;
  const request = operation.request.encode(message).finish();
  const bodyHash = kind === 'read' ? NO_HASH : hashOf(name, request);
  return { wanted: { operation: name, key: key?.(message) }, name, request, eventId, bodyHash };
}

/** How long an operation may take, over all tries, in ms. */
function timeoutOf({ timeoutMs }: AnyOperation, parker: WriteParker | undefined): number {
  return parker === undefined ? timeoutMs : parker.parkAfterMs;
}

/** Whether another try, now or later, may bring the decision. */
function isOpen(outcome: Answer<Uint8Array>): outcome is Failed {
  return outcome.verdict === 'FAILED' && !FINAL.has(outcome.cause);
}

/** Overload is shed, not parked: nothing was done, and the client asks again. */
function isToBeParked(outcome: Answer<Uint8Array>): outcome is Failed {
  if (!isOpen(outcome) || outcome === OWNER_UNKNOWN) return false;
  return outcome.cause !== 'FULL' || outcome.attempted || outcome === NO_MEMBER;
}

interface FirstTry {
  readonly prepared: Prepared;
  readonly member: Member;
  readonly outcome: Failed;
  /** On the monotonic clock, in ms. */
  readonly deadline: number;
}

async function tryAgain(options: DispatchOptions, first: FirstTry): Promise<Outcome<Uint8Array>> {
  const { members, clock, metrics } = options;
  const { prepared, member, outcome, deadline } = first;
  const choice = members.choose(elsewhere(prepared.wanted, member));
  const left = deadline - clock.monotonic();
  if (!('member' in choice) || choice.member === member || left <= 0) return outcome;
  metrics.operationRetries.inc({ operation: prepared.name, cause: outcome.cause });
  const second = fromWire(await attempt(choice.member, prepared, left));
  // What the first try may have done is unknown, whatever the second one says of itself.
  return second.verdict === 'FAILED' && outcome.attempted ? { ...second, attempted: true } : second;
}

/** SHA-256 of the operation's name, a zero byte, and the request. */
function hashOf(name: string, request: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\0`), request]), 'buffer');
}

/** A second try goes to another member; with a key, only to one that has become its owner. */
function elsewhere(wanted: Wanted, { record }: Member): Wanted {
  return wanted.key === undefined ? { ...wanted, except: record.uid } : wanted;
}

function report(logger: Logger, limiter: LogLimiter, { name, eventId }: Prepared, outcome: Failed): void {
  const { cause, message, attempted } = outcome;
  const heldBack = limiter.admit(`${name} ${cause}`);
  if (heldBack === undefined) return;
  logger.warn(
    { operation: name, eventId, cause, attempted, reason: message, heldBack },
    'an operation failed',
  );
}

function decodeResponse<Req, Res>(
  operation: Operation<Req, Res>,
  verdict: 'ANSWERED' | 'INSERTED' | 'DUPLICATED',
  response: Uint8Array,
): Outcome<Res> {
  try {
    return { verdict, response: operation.response.decode(response) };
  } catch {
    // A worker of another version answered something that is not the response.
    return failed('INTERNAL', 'the answer of the worker did not decode', true);
  }
}
