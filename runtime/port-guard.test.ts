import { beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '../test/helpers/manual-clock.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { guardPort } from './port-guard.ts';
import { PortError } from './ports/port-error.ts';

/** A port with all that a guard has to cope with; private fields included. */
class Store {
  readonly #value = 'value';
  readonly name = 'store';
  failWith: Error | undefined;
  answer = Promise.withResolvers<string>();

  get(): Promise<string> {
    return this.failWith === undefined ? Promise.resolve(this.#value) : Promise.reject(this.failWith);
  }

  slow(): Promise<string> {
    return this.answer.promise;
  }

  sync(text: string): string {
    return `${this.#value} ${text}`;
  }
}

let clock: ManualClock;
let metrics: Metrics;
let store: Store;
let guarded: Store;

beforeEach(() => {
  clock = new ManualClock();
  metrics = createMetrics();
  store = new Store();
  guarded = guardPort(store, { name: 'store', timeoutMs: 1_000, clock, metrics });
});

/** How often each outcome was counted for a call. */
async function outcomes(call: string): Promise<Record<string, number>> {
  const { values } = await metrics.portCalls.get();
  const counts = values.filter(
    ({ metricName, labels }) => metricName.endsWith('_count') && labels['call'] === call,
  );
  return Object.fromEntries(counts.map(({ labels, value }) => [String(labels['outcome']), value]));
}

describe('a guarded port', () => {
  test('answers as the port does, and is counted', async () => {
    expect(await guarded.get()).toBe('value');
    expect(guarded.sync('text')).toBe('value text');
    expect(guarded.name).toBe('store');
    expect(await outcomes('get')).toEqual({ ok: 1 });
    expect(clock.timers).toBe(0);
  });

  test('times out where the port does not answer, whatever comes later', async () => {
    const call = guarded.slow();
    clock.advance(1_000);
    await expect(call).rejects.toMatchObject({ name: 'PortError', kind: 'timeout', call: 'store.slow' });
    store.answer.resolve('late');
    expect(await outcomes('slow')).toEqual({ timeout: 1 });
  });

  test('leaves an answer in time alone', async () => {
    const call = guarded.slow();
    clock.advance(999);
    store.answer.resolve('in time');
    expect(await call).toBe('in time');
    clock.advance(10_000);
    expect(await outcomes('slow')).toEqual({ ok: 1 });
  });

  test('bears no unhandled rejection when the port fails after the time-out', async () => {
    const call = guarded.slow();
    clock.advance(1_000);
    await expect(call).rejects.toMatchObject({ kind: 'timeout' });
    store.answer.reject(new Error('late'));
    await new Promise<void>((resolve) => setImmediate(resolve));
  });

  test.each(['unavailable', 'invalid', 'closed'] as const)('passes on %s as it is', async (kind) => {
    store.failWith = new PortError(kind, 'store.get', 'away');
    await expect(guarded.get()).rejects.toBe(store.failWith);
    expect(await outcomes('get')).toEqual({ [kind]: 1 });
  });

  test('passes on a defect as it is', async () => {
    store.failWith = new TypeError('a defect');
    await expect(guarded.get()).rejects.toBe(store.failWith);
    expect(await outcomes('get')).toEqual({ defect: 1 });
  });

  test('gives more time to calls that no request waits for', async () => {
    guarded = guardPort(store, {
      name: 'store',
      timeoutMs: 1_000,
      longCalls: { slow: 5_000 },
      clock,
      metrics,
    });
    const call = guarded.slow();
    clock.advance(4_999);
    store.answer.resolve('late');
    expect(await call).toBe('late');
    const again = guarded.slow();
    store.answer = Promise.withResolvers();
    expect(await again).toBe('late');
    const never = guarded.slow();
    clock.advance(5_000);
    await expect(never).rejects.toMatchObject({ kind: 'timeout' });
  });
});
