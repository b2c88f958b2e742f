import type { Judgement } from '../../domain-kit/event-writer.ts';
import { failed } from '../../domain-kit/outcome.ts';
import type { Cache } from '../../ports/cache.ts';

/** The set of names that must not receive or withdraw money. */
export const FRAUD_SET = 'fraud';

const UNKNOWN = failed('CACHE_UNAVAILABLE', 'the fraud list is not known to be complete', false);

/**
 * Judges a batch by the fraud list in one call: one judgement for each name, in their order. An undefined name
 * needs no check. While the list is not known to be complete nobody is taken for clean.
 */
export async function judgeByFraudList(
  cache: Cache,
  names: readonly (string | undefined)[],
): Promise<readonly Judgement[]> {
  const checked = [...new Set(names.filter((name) => name !== undefined))];
  if (checked.length === 0) return names.map(() => 'accept');
  const { complete, contains } = await cache.contains(FRAUD_SET, checked);
  const listed = new Set(checked.filter((_, index) => contains[index] === true));
  return names.map((name) => {
    if (name === undefined) return 'accept';
    if (!complete) return UNKNOWN;
    return listed.has(name) ? { refuse: 'FRAUDULENT' } : 'accept';
  });
}
