import { hash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Dispatch } from '../../domain-kit/domain.ts';
import type { Operation } from '../../domain-kit/operation.ts';
import { type Failed, failed, type FailureCause, type Outcome } from '../../domain-kit/outcome.ts';
import { fromWire } from '../../domain-kit/outcome-wire.ts';
import type { LinkResult } from '../../link/pending.ts';
import { LogLimiter } from '../../log-limiter.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import type { Member } from './member.ts';
import type { Choice, Members, Wanted } from './members.ts';

export interface DispatchOptions {
  readonly members: Pick<Members, 'choose'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'operations' | 'operationRetries'>;
}

/** An operation ready to be sent: encoded once, whatever the number of tries. */
interface Prepared {
  readonly wanted: Wanted;
  readonly name: string;
  readonly request: Uint8Array;
  readonly eventId: string;
  readonly bodyHash: Uint8Array;
}

/** Share of the whole time-out that the first try may take, so that a second one has time left. */
const FIRST_TRY_SHARE = 0.6;

/** Failures that another member cannot mend: the request itself is at fault. */
const FINAL: ReadonlySet<FailureCause> = new Set(['INVALID_REQUEST', 'REPLY_TOO_LARGE']);

const NO_HASH = new Uint8Array(0);

/**
 * Makes the dispatcher's way to its members: chooses one, sends, and where the outcome is not decided tries one
 * other member within the operation's time-out. That is safe: writes carry their event's id.
 */
export function createDispatch(options: DispatchOptions): Dispatch {
  const { members, clock, metrics } = options;
  const limiter = new LogLimiter(clock);
  return {
    async ask<Req, Res>(operation: Operation<Req, Res>, request: Req, eventId = ''): Promise<Outcome<Res>> {
      const started = clock.monotonic();
      const prepared = prepare(operation, request, eventId);
      const choice = members.choose(prepared.wanted);
      let outcome: Outcome<Uint8Array>;
      if ('member' in choice) {
        outcome = fromWire(await send(choice.member, prepared, operation.timeoutMs * FIRST_TRY_SHARE));
        if (outcome.verdict === 'FAILED' && !FINAL.has(outcome.cause)) {
          const deadline = started + operation.timeoutMs;
          outcome = await tryAgain(options, { prepared, member: choice.member, outcome, deadline });
        }
      } else {
        outcome = refusal(choice);
      }
      const { verdict } = outcome;
      metrics.operations.observe((clock.monotonic() - started) / 1000, operation.name, verdict);
      if ('response' in outcome) return decodeResponse(operation, outcome.verdict, outcome.response);
      if (outcome.verdict === 'FAILED') report(options.logger, limiter, prepared, outcome);
      return outcome;
    },
  };
}

function prepare<Req, Res>(operation: Operation<Req, Res>, message: Req, eventId: string): Prepared {
  const { name, kind, key } = operation;
  const request = operation.request.encode(message).finish();
  const bodyHash = kind === 'read' ? NO_HASH : hashOf(name, request);
  return { wanted: { operation: name, key: key?.(message) }, name, request, eventId, bodyHash };
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
  const second = fromWire(await send(choice.member, prepared, left));
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

function send(member: Member, prepared: Prepared, timeoutMs: number): Promise<LinkResult> {
  const { name, request, eventId, bodyHash } = prepared;
  return member.send({ name, request, eventId, bodyHash, timeoutMs });
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

function refusal(choice: Exclude<Choice, { member: Member }>): Failed {
  return choice.none === 'full'
    ? failed('FULL', 'all workers are busy', false)
    : failed('FULL', 'no worker has joined that serves this', false);
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
