import type { Clock } from '../../clock.ts';
import type { EventState } from '../../generated/miniplatform/events/v1/events.ts';
import type { AnyOperation } from '../../domain-kit/operation.ts';
import { type Answer, type Failed, failed } from '../../domain-kit/outcome.ts';
import type { LogLimiter } from '../../log-limiter.ts';
import type { Logger } from '../../logging.ts';
import { within } from '../../parking/deadline.ts';
import type { Parking } from '../../parking/parking.ts';
import { PortError } from '../../ports/port-error.ts';
import type { Prepared } from './attempt.ts';

/** What a dispatcher does with writes that it cannot have decided. */
export interface ParkingUse {
  readonly parking: Pick<Parking, 'park' | 'parkedBodies'>;
  /** How long a write is tried, over all tries, before it is parked, in ms. */
  readonly parkAfterMs: number;
}

export interface WriteParkerOptions extends ParkingUse {
  /** Asks a worker what is stored under an event id, within the time given in ms; undefined: it cannot be told. */
  readonly stateOf: (
    operation: AnyOperation,
    eventId: string,
    timeoutMs: number,
  ) => Promise<EventState | undefined>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limiter: LogLimiter;
}

type Checked = Extract<Answer<never>, { verdict: 'KEY_REUSED' | 'FAILED' }> | undefined;

/** Share of `parkAfterMs` that each of the two questions before a write may take; the first try has 0.6 of it. */
const CHECK_SHARE = 0.2;

const PARKED = { verdict: 'PARKED' } as const;
const KEY_REUSED = { verdict: 'KEY_REUSED' } as const;

/**
 * Another body is parked under the key, and which of the two has it cannot be told: this one may have been acknowledged
 * before, so it is not refused for ever, and it may be a reuse, so it is not kept either.
 */
export const OWNER_UNKNOWN = failed(
  'STORE_UNAVAILABLE',
  'another body is parked under this key, and whether the key is its own cannot be told now',
  false,
);

/** Keeps writes that were not decided, and the keys of those that are kept. */
export class WriteParker {
  readonly #options: WriteParkerOptions;
  readonly parkAfterMs: number;

  constructor(options: WriteParkerOptions) {
    this.#options = options;
    this.parkAfterMs = options.parkAfterMs;
  }

  /**
   * Whether a write may be sent. Undefined, at once, when nothing at all is parked. Otherwise it resolves to the
   * answer that is given without sending it, or to undefined where it may be sent. Never rejects.
   */
  check(operation: AnyOperation, prepared: Prepared): Promise<Checked> | undefined {
    const bodies = this.#options.parking.parkedBodies(prepared.name, prepared.eventId);
    return bodies === undefined ? undefined : this.#check(operation, prepared, bodies);
  }

  /** Keeps a write durably, or says why its outcome stays unknown. Never rejects. */
  async park({ name, eventId, bodyHash, request }: Prepared, outcome: Failed): Promise<Answer<never>> {
    const { parking, logger, limiter } = this.#options;
    const { cause, message } = outcome;
    try {
      await parking.park({
        operation: name,
        eventId,
        bodyHash: textOf(bodyHash),
        request,
        cause,
        message,
      });
    } catch (error) {
      if (!(error instanceof PortError))
        logger.error({ err: error, operation: name, eventId }, 'parking failed');
      return failed(cause, `${message}; it could not be parked either: ${reasonOf(error)}`, true);
    }
    const heldBack = limiter.admit(`${name} parked ${cause}`);
    if (heldBack !== undefined) {
      logger.warn(
        { operation: name, eventId, cause, reason: message, heldBack },
        'a write was not decided: it is parked and sent again until the store has decided',
      );
    }
    return PARKED;
  }

  async #check(
    operation: AnyOperation,
    { name, eventId, bodyHash }: Prepared,
    bodies: Promise<readonly string[]>,
  ): Promise<Checked> {
    const { clock, stateOf } = this.#options;
    const timeoutMs = this.parkAfterMs * CHECK_SHARE;
    let parked: readonly string[];
    try {
      parked = await within(clock, timeoutMs, 'parking.parkedBodies', bodies);
    } catch (error) {
      // Sent all the same, it could take the key from a write that was acknowledged before; parked, it waits behind it.
      const message = `what is parked under the key of this ${name} cannot be told: ${reasonOf(error)}`;
      return failed('CACHE_UNAVAILABLE', message, false);
    }
    const own = textOf(bodyHash);
    if (parked.length === 0 || parked.includes(own)) return undefined;
    // The parked one is the second use of the key where the store has this one already.
    const state = await stateOf(operation, eventId, timeoutMs);
    if (state === undefined) return OWNER_UNKNOWN;
    return state.found && state.bodyHash === own ? undefined : KEY_REUSED;
  }
}

/** A body's hash as it is stored with its event. */
function textOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('base64url');
}

function reasonOf(error: unknown): string {
  return error instanceof PortError ? error.message : 'an unexpected error';
}
