import { FRAUD_SET, judgeByFraudList } from '../../runtime/domains/bank/fraud.ts';
import type { Cache } from '../../runtime/ports/cache.ts';

/** How the bank judges names: not at all, or which of them it refuses; the others are clean. */
export async function judge(cache: Cache, names: readonly string[]): Promise<'unknown' | readonly string[]> {
  const judgements = await judgeByFraudList(cache, names);
  const failed = judgements.filter((each) => typeof each === 'object' && 'verdict' in each);
  if (failed.length > 0 && failed.length < names.length)
    throw new Error('names were judged unlike each other');
  return failed.length > 0 ? 'unknown' : names.filter((_, index) => judgements[index] !== 'accept');
}

/** A cache that calls back before and after each of its calls. A rejection of the callback becomes the call's. */
export function stepped(
  cache: Cache,
  step: (when: 'before' | 'after', call: string, args: readonly unknown[]) => void | Promise<void>,
): Cache {
  return new Proxy(cache, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        await step('before', String(property), args);
        const result: unknown = await Reflect.apply(value, target, args);
        await step('after', String(property), args);
        return result;
      };
    },
  });
}

export { FRAUD_SET };
