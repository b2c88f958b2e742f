import { isErrorCode } from '../errors.ts';
import { FailureCause as WireCause, type Reply, Verdict } from '../generated/miniplatform/link/v1/link.ts';
import { type Failed, failed, type FailureCause, type Outcome } from './outcome.ts';

type LinkResult = NonNullable<Reply['result']>;

const VERDICT_TO_WIRE = {
  ANSWERED: Verdict.ANSWERED,
  INSERTED: Verdict.INSERTED,
  DUPLICATED: Verdict.DUPLICATED,
  REFUSED: Verdict.REFUSED,
  DISCARDED: Verdict.DISCARDED,
  KEY_REUSED: Verdict.KEY_REUSED,
} as const;

const CAUSES = new Map<WireCause, FailureCause>([
  [WireCause.EXPIRED, 'EXPIRED'],
  [WireCause.FULL, 'FULL'],
  [WireCause.LINK_LOST, 'LINK_LOST'],
  [WireCause.UNKNOWN_OPERATION, 'UNKNOWN_OPERATION'],
  [WireCause.INVALID_REQUEST, 'INVALID_REQUEST'],
  [WireCause.STORE_UNAVAILABLE, 'STORE_UNAVAILABLE'],
  [WireCause.LOG_UNAVAILABLE, 'LOG_UNAVAILABLE'],
  [WireCause.CACHE_UNAVAILABLE, 'CACHE_UNAVAILABLE'],
  [WireCause.REPLY_TOO_LARGE, 'REPLY_TOO_LARGE'],
  [WireCause.INTERNAL, 'INTERNAL'],
]);

const EMPTY = new Uint8Array(0);

/** An outcome as it travels over the link. */
export function toWire(outcome: Outcome<Uint8Array>): LinkResult {
  if (outcome.verdict === 'FAILED') {
    const { cause, message, attempted } = outcome;
    return { $case: 'failure', value: { cause: WireCause[cause], message, attempted } };
  }
  return {
    $case: 'decision',
    value: {
      verdict: VERDICT_TO_WIRE[outcome.verdict],
      reason: outcome.verdict === 'REFUSED' ? outcome.reason : '',
      response: 'response' in outcome ? outcome.response : EMPTY,
    },
  };
}

/**
 * An outcome as it came over the link. What this version does not know (a verdict or a reason of a later one)
 * is a failure with an unknown outcome, never a guess.
 */
export function fromWire(result: LinkResult): Outcome<Uint8Array> {
  if (result.$case === 'failure') {
    const { cause, message, attempted } = result.value;
    return failed(CAUSES.get(cause) ?? 'INTERNAL', message, attempted);
  }
  const { verdict, reason, response } = result.value;
  switch (verdict) {
    case Verdict.ANSWERED:
      return { verdict: 'ANSWERED', response };
    case Verdict.INSERTED:
      return { verdict: 'INSERTED', response };
    case Verdict.DUPLICATED:
      return { verdict: 'DUPLICATED', response };
    case Verdict.REFUSED:
      return isErrorCode(reason) ? { verdict: 'REFUSED', reason } : unknown('reason', reason);
    case Verdict.DISCARDED:
      return { verdict: 'DISCARDED' };
    case Verdict.KEY_REUSED:
      return { verdict: 'KEY_REUSED' };
    default:
      return unknown('verdict', String(verdict));
  }
}

function unknown(what: string, value: string): Failed {
  return failed('INTERNAL', `the worker answered with an unknown ${what} ${JSON.stringify(value)}`, true);
}
