import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Dispatch } from '../../domain-kit/domain.ts';
import type { Operation } from '../../domain-kit/operation.ts';
import { type Failed, failed, type FailureCause, type Outcome } from '../../domain-kit/outcome.ts';
import { fromWire } from '../../domain-kit/outcome-wire.ts';
import type { Logger } from '../../logging.ts';
import { cachedSeries, type Metrics } from '../../metrics.ts';
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
  const series = cachedSeries(options.metrics.operations, ['operation', 'verdict']);
  return {
    async ask<Req, Res>(operation: Operation<Req, Res>, request: Req, eventId = ''): Promise<Outcome<Res>> {
      const { clock, logger } = options;
      const started = clock.monotonic();
      const outcome = await decide(
        options,
        prepare(operation, request, eventId),
        started + operation.timeoutMs,
      );
      const { verdict } = outcome;
      series(operation.name, verdict).observe((clock.monotonic() - started) / 1000);
      if (verdict === 'FAILED') {
        const { cause, message, attempted } = outcome;
        logger.warn(
          { operation: operation.name, eventId, cause, attempted, reason: message },
          'an operation failed',
        );
        return outcome;
      }
      if (!('response' in outcome)) return outcome;
      return decodeResponse(operation, outcome.verdict, outcome.response);
    },
  };
}

function prepare<Req, Res>(operation: Operation<Req, Res>, message: Req, eventId: string): Prepared {
  const { name, kind, key } = operation;
  const request = operation.request.encode(message).finish();
  const bodyHash =
    kind === 'read' ? NO_HASH : createHash('sha256').update(name).update('\0').update(request).digest();
  return { wanted: { operation: name, key: key?.(message) }, name, request, eventId, bodyHash };
}

async function decide(
  options: DispatchOptions,
  prepared: Prepared,
  deadline: number,
): Promise<Outcome<Uint8Array>> {
  const { members, clock, metrics } = options;
  const first = members.choose(prepared.wanted);
  if (!('member' in first)) return refusal(first);
  const remaining = deadline - clock.monotonic();
  const outcome = await attempt(first.member, prepared, remaining * FIRST_TRY_SHARE);
  if (outcome.verdict !== 'FAILED' || FINAL.has(outcome.cause)) return outcome;
  const second = members.choose(elsewhere(prepared.wanted, first.member));
  const left = deadline - clock.monotonic();
  if (!('member' in second) || second.member === first.member || left <= 0) return outcome;
  metrics.operationRetries.inc({ operation: prepared.name, cause: outcome.cause });
  const retried = await attempt(second.member, prepared, left);
  // What the first try may have done is unknown, whatever the second one says of itself.
  return retried.verdict === 'FAILED' && outcome.attempted ? { ...retried, attempted: true } : retried;
}

/** A second try goes to another member; with a key, only to one that has become its owner. */
function elsewhere(wanted: Wanted, { record }: Member): Wanted {
  return wanted.key === undefined ? { ...wanted, except: record.uid } : wanted;
}

async function attempt(member: Member, prepared: Prepared, timeoutMs: number): Promise<Outcome<Uint8Array>> {
  const { name, request, eventId, bodyHash } = prepared;
  return fromWire(await member.send({ name, request, eventId, bodyHash, timeoutMs }));
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
