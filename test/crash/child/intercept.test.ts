import { expect, test } from '@jest/globals';
import type { RecordBatch, SubscribeOptions } from '../../../runtime/ports/event-log.ts';
import { type Interceptor, interceptPort } from './intercept.ts';

class Echo {
  readonly #answer = 'answered';
  readonly atomic = true;

  insertMany(...args: readonly unknown[]): Promise<readonly unknown[]> {
    return Promise.resolve([this.#answer, ...args]);
  }

  append(records: readonly unknown[]): Promise<number> {
    return Promise.resolve(records.length);
  }

  subscribe(options: SubscribeOptions): Promise<SubscribeOptions> {
    return Promise.resolve(options);
  }
}

function intercepted(names: string[]): Echo {
  const note: Interceptor = ({ name }, proceed) => {
    names.push(name);
    return proceed();
  };
  return interceptPort(new Echo(), 'event-log', note);
}

test('calls go through, with their names, and properties are left alone', async () => {
  const names: string[] = [];
  const port = intercepted(names);
  expect(await port.insertMany('a', 1)).toEqual(['answered', 'a', 1]);
  expect(await port.append([{ topic: 'long_term_storage' }, { topic: 'other' }])).toBe(2);
  expect(port.atomic).toBe(true);
  expect(names).toEqual(['event-log.insertMany', 'event-log.append long_term_storage']);
});

test('commits of a subscription are calls as well', async () => {
  const names: string[] = [];
  const committed: bigint[] = [];
  const subscription = await intercepted(names).subscribe({
    group: 'g',
    topics: ['t'],
    onBatch: (batch) => batch.commit(7n),
    onError: () => {},
  });
  const batch: RecordBatch = {
    topic: 't',
    partition: 0,
    records: [],
    signal: new AbortController().signal,
    commit: (next) => Promise.resolve(void committed.push(next)),
  };
  await subscription.onBatch(batch);
  expect(committed).toEqual([7n]);
  expect(names).toEqual(['event-log.subscribe t', 'event-log.commit t']);
});

test('the kind of key tells calls of the cache apart', () => {
  const names: string[] = [];
  const cache = interceptPort(
    { apply: (writes: readonly unknown[]) => writes.length, contains: (key: string) => key },
    'cache',
    ({ name }) => void names.push(name),
  );
  cache.apply([{ op: 'addScored', key: 'interactions:ada' }]);
  cache.contains('fraud');
  expect(names).toEqual(['cache.apply interactions', 'cache.contains fraud']);
});
