import type { Clock } from '../../clock.ts';
import type { AnyOperation } from '../../domain-kit/operation.ts';
import { failed, type Outcome } from '../../domain-kit/outcome.ts';
import { fromWire } from '../../domain-kit/outcome-wire.ts';
import type { Metrics } from '../../metrics.ts';
import type { ParkedWrite } from '../../parking/parked-write.ts';
import { attempt, type Prepared, refusal } from './attempt.ts';
import type { Members } from './members.ts';

export interface ResendOptions {
  readonly members: Pick<Members, 'choose'>;
  /** Every operation of the dispatcher's domains. */
  readonly operations: readonly AnyOperation[];
  /** How long one try may take at least, in ms; an operation's own time-out may be longer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'operations'>;
}

type Written = Pick<ParkedWrite, 'operation' | 'eventId' | 'bodyHash' | 'request'>;

/** The way of a parked write to a worker. One try each; neither ever rejects. */
export interface Resend {
  /** Sends the write as it was asked for first. */
  readonly send: (write: Written) => Promise<Outcome<Uint8Array>>;
  /** Gives the event up: DISCARDED once that is stored, or what the store had decided before. */
  readonly discard: (write: Written) => Promise<Outcome<Uint8Array>>;
}

/** Makes the way of parked writes to the members. */
export function createResend(options: ResendOptions): Resend {
  const operations = new Map(options.operations.map((operation) => [operation.name, operation]));
  const { members, clock, metrics } = options;
  const once = async (write: Written, discard: boolean): Promise<Outcome<Uint8Array>> => {
    const operation = operations.get(write.operation);
    if (operation === undefined) {
      return failed('UNKNOWN_OPERATION', `no domain of this platform has ${write.operation}`, false);
    }
    const prepared = prepare(operation, write, discard);
    if (prepared === undefined) return failed('INVALID_REQUEST', 'the parked request does not decode', false);
    const started = clock.monotonic();
    const choice = members.choose(prepared.wanted);
    const timeoutMs = Math.max(options.timeoutMs, operation.timeoutMs);
    const outcome =
      'member' in choice ? fromWire(await attempt(choice.member, prepared, timeoutMs)) : refusal(choice);
    metrics.operations.observe((clock.monotonic() - started) / 1000, operation.name, outcome.verdict);
    return outcome;
  };
  return { send: (write) => once(write, false), discard: (write) => once(write, true) };
}

/** Undefined where the request does not decode and yet has to be carried out. */
function prepare(operation: AnyOperation, write: Written, discard: boolean): Prepared | undefined {
  const { name } = operation;
  const { request, eventId } = write;
  const bodyHash = Buffer.from(write.bodyHash, 'base64url');
  let key: string | undefined;
  try {
    key = operation.keyOfEncoded?.(request);
  } catch {
    // What is given up need not decode: any member can store that.
    if (!discard) return undefined;
  }
  return { wanted: { operation: name, key }, name, request, eventId, bodyHash, discard };
}
