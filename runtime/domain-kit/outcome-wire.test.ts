import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ErrorCode, ERRORS } from '../errors.ts';
import { FailureCause as WireCause, Reply, Verdict } from '../generated/miniplatform/link/v1/link.ts';
import type { FailureCause, Outcome } from './outcome.ts';
import { fromWire, toWire } from './outcome-wire.ts';

const CAUSES = Object.keys({
  EXPIRED: 0,
  FULL: 0,
  LINK_LOST: 0,
  UNKNOWN_OPERATION: 0,
  INVALID_REQUEST: 0,
  STORE_UNAVAILABLE: 0,
  LOG_UNAVAILABLE: 0,
  CACHE_UNAVAILABLE: 0,
  REPLY_TOO_LARGE: 0,
  INTERNAL: 0,
} satisfies Record<FailureCause, 0>) as FailureCause[];

const outcome: fc.Arbitrary<Outcome<Uint8Array>> = fc.oneof(
  fc.record({
    verdict: fc.constantFrom('ANSWERED', 'INSERTED', 'DUPLICATED'),
    response: fc.uint8Array(),
  }),
  fc.record({
    verdict: fc.constant('REFUSED'),
    reason: fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[])),
  }),
  fc.record({ verdict: fc.constantFrom('DISCARDED', 'KEY_REUSED') }),
  fc.record({
    verdict: fc.constant('FAILED'),
    cause: fc.constantFrom(...CAUSES),
    message: fc.string(),
    attempted: fc.boolean(),
  }),
);

/** The result after it was encoded and decoded, as on a link. */
function travel(given: Outcome<Uint8Array>): Outcome<Uint8Array> {
  const { result } = Reply.decode(Reply.encode({ seq: 1, result: toWire(given) }).finish());
  if (result === undefined) throw new Error('the result was lost');
  return fromWire(result);
}

const UNKNOWN = expect.objectContaining({ verdict: 'FAILED', cause: 'INTERNAL', attempted: true });

describe('an outcome on the wire', () => {
  test('arrives as it was sent', () => {
    fc.assert(
      fc.property(outcome, (given) => {
        const arrived = travel(given);
        if (!('response' in given && 'response' in arrived)) {
          expect(arrived).toEqual(given);
          return;
        }
        expect(arrived.verdict).toBe(given.verdict);
        // Bytes arrive in a Buffer.
        expect([...arrived.response]).toEqual([...given.response]);
      }),
    );
  });

  test.each([0, 7, 99, -1])('with the unknown verdict %i is a failure of unknown outcome', (verdict) => {
    const value = { verdict: verdict as Verdict, reason: '', response: new Uint8Array([1]) };
    expect(fromWire({ $case: 'decision', value })).toEqual(UNKNOWN);
  });

  test.each(['', 'SOMETHING_NEW', 'toString', '__proto__'])(
    'refused for the unknown reason "%s" is a failure of unknown outcome',
    (reason) => {
      const value = { verdict: Verdict.REFUSED, reason, response: new Uint8Array(0) };
      expect(fromWire({ $case: 'decision', value })).toEqual(UNKNOWN);
    },
  );

  test.each([0, 99, -1])('with the unknown cause %i keeps whether it was attempted', (cause) => {
    for (const attempted of [true, false]) {
      const value = { cause: cause as WireCause, message: 'new', attempted };
      expect(fromWire({ $case: 'failure', value })).toEqual({
        verdict: 'FAILED',
        cause: 'INTERNAL',
        message: 'new',
        attempted,
      });
    }
  });

  test('has a place for every cause that the wire knows', () => {
    const known = Object.keys(WireCause).filter((name) => !['UNSPECIFIED', 'UNRECOGNIZED'].includes(name));
    expect(known.sort()).toEqual([...CAUSES].sort());
  });
});
