import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Answer, EchoPlatform, type RunningDispatcher } from '../helpers/echo-platform.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';

const KEYS = Array.from({ length: 40 }, (_, n) => `key ${n}`);

let platform: EchoPlatform;
let one: RunningDispatcher;
const proxies = new Map<string, TcpProxy>();

beforeEach(async () => {
  platform = new EchoPlatform();
  one = await platform.dispatcher();
});

afterEach(async () => {
  for (const proxy of proxies.values()) await proxy.close();
  proxies.clear();
  await platform.stop();
});

function usable(count: number): Promise<boolean> {
  return eventually(`${count} usable members`, () => one.dispatcher.usableMembers === count, 10_000);
}

/** Starts a worker behind a proxy, through which it can be cut off for good. */
async function startCuttable(
  uid: string,
  hold?: (text: string) => Promise<void> | void,
): Promise<() => void> {
  const direct = one.directory.decide;
  const portOf = Promise.withResolvers<number>();
  one.directory.decide = (applicant) => {
    if (applicant.uid !== uid) return direct(applicant);
    portOf.resolve(applicant.port);
    const proxy = proxies.get(uid);
    return proxy === undefined
      ? { outcome: 'retry', message: 'the proxy is not there yet' }
      : { outcome: 'admitted', member: { uid, address: proxy.address } };
  };
  await platform.worker(uid, [one.join], hold);
  const proxy = await TcpProxy.start(await portOf.promise);
  proxies.set(uid, proxy);
  return () => {
    one.directory.decide = direct;
    proxy.stall();
    proxy.cut();
  };
}

async function ownersOf(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const answers = await Promise.all(
    keys.map(async (key) => [key, (await one.say({ text: '', key })).worker ?? 'nobody'] as const),
  );
  return new Map(answers);
}

describe('without a worker', () => {
  test('a request is answered at once: nothing was attempted', async () => {
    const from = performance.now();
    expect(await one.say({ text: 'hi' })).toMatchObject({ status: 503, code: 'NOT_ATTEMPTED' });
    expect(performance.now() - from).toBeLessThan(1_000);
  });
});

describe('unkeyed operations', () => {
  test('are spread evenly over all workers', async () => {
    for (const uid of ['w1', 'w2', 'w3']) await platform.worker(uid, [one.join]);
    await usable(3);
    const counts = new Map<string, number>();
    for (let n = 0; n < 30; n += 1) {
      const { worker = 'nobody' } = await one.say({ text: 'hi' });
      counts.set(worker, (counts.get(worker) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({ w1: 10, w2: 10, w3: 10 });
  });

  test('do not fail when a worker is killed while another one is usable', async () => {
    const held: string[] = [];
    const never = (text: string): Promise<void> => {
      held.push(text);
      return new Promise(() => {});
    };
    const kill = await startCuttable('w1', never);
    await platform.worker('w2', [one.join]);
    await usable(2);
    const answers: Promise<Answer>[] = [];
    for (let n = 0; n < 40; n += 1) answers.push(one.say({ text: `${n}` }));
    await eventually('some are at the worker that will be killed', () => held.length === 20);
    kill();
    for (let n = 40; n < 80; n += 1) answers.push(one.say({ text: `${n}` }));
    const all = await within('the answers', Promise.all(answers), 10_000);
    expect(all).toEqual(all.map((_, n) => ({ status: 200, text: `${n}`, worker: 'w2' })));
    const { values } = await one.metrics.operationRetries.get();
    expect(values.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThanOrEqual(20);
  });

  test('in flight at the only worker are of unknown outcome when it is killed', async () => {
    const held: string[] = [];
    const kill = await startCuttable('w1', (text) => {
      held.push(text);
      return new Promise(() => {});
    });
    await usable(1);
    const lost = one.say({ text: 'lost' });
    await eventually('it is at the worker', () => held.length === 1);
    kill();
    expect(await within('the answer', lost)).toMatchObject({ status: 503, code: 'READ_FAILED' });
  });
});

describe('keyed operations', () => {
  test('go to one owner each, and only those of a worker that leaves move', async () => {
    const workers = new Map(
      await Promise.all(
        ['w1', 'w2', 'w3'].map(async (uid) => [uid, await platform.worker(uid, [one.join])] as const),
      ),
    );
    await usable(3);
    const before = await ownersOf(KEYS);
    expect(new Set(before.values())).toEqual(new Set(workers.keys()));
    expect(await ownersOf(KEYS)).toEqual(before);

    await workers.get('w2')?.stop(5_000);
    await usable(2);
    const after = await ownersOf(KEYS);
    for (const [key, owner] of before) {
      if (owner === 'w2') expect(['w1', 'w3']).toContain(after.get(key));
      else expect(after.get(key)).toBe(owner);
    }

    await platform.worker('w2', [one.join]);
    await usable(3);
    expect(await ownersOf(KEYS)).toEqual(before);
  });
});
