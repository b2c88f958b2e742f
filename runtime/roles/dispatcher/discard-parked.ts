import { PlatformError } from '../../errors.ts';
import type { Logger } from '../../logging.ts';
import type { ParkedWrite } from '../../parking/parked-write.ts';
import type { Parking } from '../../parking/parking.ts';
import type { Resend } from './resend.ts';
import { known } from './state-unknown.ts';

export interface DiscardOptions {
  readonly parking: Pick<Parking, 'resolve'>;
  readonly discard: Resend['discard'];
  readonly logger: Logger;
}

/**
 * Gives a parked write up: the store keeps DISCARDED as its outcome, then it is no longer parked. Throws
 * ALREADY_DECIDED where the store had stored or refused it before (it is no longer parked then either), and
 * STATE_UNKNOWN or NOT_ATTEMPTED where that could not be done: it stays parked, and asking again is safe.
 */
export async function discardParked(options: DiscardOptions, write: ParkedWrite): Promise<void> {
  const { parking, logger } = options;
  const { operation, eventId } = write;
  const ids = { operation, id: eventId };
  const outcome = await options.discard(write);
  if (outcome.verdict === 'FAILED') {
    const { cause, message, attempted } = outcome;
    throw new PlatformError(attempted ? 'STATE_UNKNOWN' : 'NOT_ATTEMPTED', `it stays parked: ${message}`, {
      ...ids,
      cause,
    });
  }
  await known('the store has decided, but whether the write is still parked', parking.resolve(write));
  // An id that another body has taken: this one can never be stored.
  if (outcome.verdict === 'DISCARDED' || outcome.verdict === 'KEY_REUSED') {
    logger.info(
      { operation, eventId, outcome: outcome.verdict },
      'an administrator discarded a parked write',
    );
    return;
  }
  const became = outcome.verdict === 'REFUSED' ? `refused (${outcome.reason})` : 'stored';
  throw new PlatformError('ALREADY_DECIDED', `the write was ${became} before it could be discarded`, ids);
}
