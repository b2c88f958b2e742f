import { describe, test } from '@jest/globals';
import { RedisCache, type RedisOptions } from '../../runtime/adapters/redis/cache.ts';
import { unique } from '../contract/waiting.ts';
import { ownServers } from '../services/endpoints.ts';
import { ToldObserver } from './told-observer.ts';

/** What a test has opened, to be closed after it, the last first. */
export class Opened {
  readonly #closes: (() => Promise<unknown>)[] = [];

  add<T>(thing: T, close: (thing: T) => Promise<unknown>): T {
    this.#closes.push(() => close(thing));
    return thing;
  }

  /** A cache with a prefix of its own unless one is given, and its observer. */
  cache(options: Partial<RedisOptions> & Pick<RedisOptions, 'server'>): {
    readonly cache: RedisCache;
    readonly told: ToldObserver;
  } {
    const told = new ToldObserver();
    const cache = new RedisCache({ keyPrefix: `${unique('test')}:`, observer: told, ...options });
    return { cache: this.add(cache, (each) => each.close()), told };
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closes.splice(0).reverse()) await close();
  }
}

/** A suite that starts servers of its own; where it cannot, it is skipped with the reason in its name. */
export function describeRedis(name: string, define: () => void): void {
  const own = ownServers('redis');
  if (own.ok) describe(name, define);
  else describe.skip(`${name} (${own.reason})`, () => test('', () => {}));
}
