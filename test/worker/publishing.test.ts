import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PortError } from '../../runtime/ports/port-error.ts';
import { watermarkIn, WATERMARKS } from '../../runtime/roles/worker/publishing/watermark.ts';
import { ComposedStores } from '../helpers/composed-stores.ts';
import { FRAUDSTER, payment, PAYMENTS, PublishingBoot } from '../helpers/publishing-boot.ts';

const AWAY = new PortError('unavailable', 'event-log.append', 'away');
const LATE = new PortError('timeout', 'document-store.insertMany', 'no answer');
const EPOCH = 1_700_000_000_000;
const GONE_MS = 20_000;
const GRACE_MS = 35_000;

let stores: ComposedStores;
let boots: PublishingBoot[];

beforeEach(async () => {
  stores = await ComposedStores.open();
  boots = [];
});

afterEach(async () => {
  for (const boot of boots) {
    boot.publishing.close();
    await boot.idle();
  }
  await stores.close();
});

function boot(bootId: string, epoch = EPOCH): Promise<PublishingBoot> {
  const started = new PublishingBoot(stores, { bootId, epoch });
  boots.push(started);
  return started.start();
}

async function watermarks(): Promise<Readonly<Record<string, number>>> {
  const range = { from: '', to: '\x7f', limit: 1_000 };
  const found = (await stores.documents.findByIdRange(WATERMARKS, range)).map(watermarkIn);
  return Object.fromEntries(found.map(({ id, at }) => [id, at]));
}

async function isStored(id: string): Promise<boolean> {
  return (await stores.documents.findByIds(PAYMENTS, [id]))[0] !== undefined;
}

describe('a worker that publishes its own', () => {
  test('moves its watermark with what it stores, and without news shows that it lives', async () => {
    const a = await boot('a');
    expect(await watermarks()).toEqual({ 'a:1': EPOCH });
    await a.pass(3_000);
    expect(await watermarks()).toEqual({ 'a:1': EPOCH });
    await a.pass(1_000);
    expect(await watermarks()).toEqual({ 'a:1': EPOCH + 4_000 });
    expect(await a.pay('p1')).toEqual(['INSERTED']);
    await a.pass(1_000);
    expect(await watermarks()).toEqual({ 'a:1': EPOCH + 5_000 });
    expect(await stores.published()).toEqual(['p1']);
    expect(await a.republished('own')).toBe(0);
  });

  test('publishes without a resend what it stored while the log was away', async () => {
    const a = await boot('a');
    await a.pass(5_000);
    a.faults.failAll('append', AWAY);
    expect(await a.pay('p1', 'p2')).toEqual(['LOG_UNAVAILABLE', 'LOG_UNAVAILABLE']);
    await a.pass(10_000);
    expect(await a.pay('p3')).toEqual(['LOG_UNAVAILABLE']);
    await a.pass(10_000);
    // What may be unpublished holds the watermark back, and shows.
    expect(await watermarks()).toEqual({ 'a:1': EPOCH + 5_000 });
    expect(await a.unpublishedAge()).toBe(20);
    a.faults.mend('append');
    await a.pass(1_000);
    expect(await stores.published()).toEqual(['p1', 'p2', 'p3']);
    await a.pass(4_000);
    expect(await watermarks()).toEqual({ 'a:1': EPOCH + 27_000 });
    expect(await a.unpublishedAge()).toBe(0);
    expect(await a.republished('own')).toBe(3);
  });

  test('publishes nothing of what was refused or discarded', async () => {
    const a = await boot('a');
    a.faults.failAll('append', AWAY);
    await a.write([
      payment('good'),
      payment('bad', FRAUDSTER),
      { discard: true, eventId: 'given up', bodyHash: 'hash' },
    ]);
    a.faults.mend('append');
    await a.pass(2_000);
    expect(await stores.published()).toEqual(['good']);
    expect(await isStored('bad')).toBe(true);
    expect(await isStored('given up')).toBe(true);
  });

  test.each(['done', 'late'] as const)(
    'publishes what an insert stored whose answer it did not get (effect: %s)',
    async (effect) => {
      const a = await boot('a');
      a.faults.failNext('insertMany', LATE, effect);
      expect(await a.pay('p1')).toEqual(['STORE_UNAVAILABLE']);
      await a.pass(10_000);
      await a.faults.land();
      expect(await isStored('p1')).toBe(true);
      expect(await watermarks()).toEqual({ 'a:1': EPOCH });
      await a.pass(25_000);
      expect(new Set(await stores.published())).toEqual(new Set(['p1']));
      await a.pass(2_000);
      expect((await watermarks())['a:1']).toBeGreaterThan(EPOCH);
    },
  );

  test('publishes more than a page, from where it was when the log went away again', async () => {
    const a = await boot('a');
    const ids = Array.from({ length: 1_300 }, (_, index) => `p${index}`);
    a.faults.failNext('append', AWAY);
    await a.pay(...ids);
    // Each page is small enough for one append; the second one fails once.
    a.faults.passNext('append');
    a.faults.failNext('append', AWAY);
    await a.pass(1_000);
    expect((await stores.published()).length).toBe(500);
    await a.pass(1_000);
    expect(await stores.published()).toEqual([...ids].sort());
  });

  test('takes no other down with an event that the log refuses', async () => {
    const a = await boot('a');
    a.faults.failNext('append', AWAY);
    await a.write([payment('p1'), payment('large', 'x'.repeat(1_000_000)), payment('p2')]);
    await a.pass(2_000);
    expect(await stores.published()).toEqual(['p1', 'p2']);
    await a.pass(4_000);
    expect((await watermarks())['a:1']).toBeGreaterThan(EPOCH);
  });

  test('passes over nothing because the topic is not there', async () => {
    const a = await boot('a');
    a.faults.failNext('append', AWAY);
    await a.pay('p1');
    const absent = new PortError('invalid', 'event-log.append', 'there is no topic');
    a.faults.failAll('append', absent);
    a.faults.failAll('ranges', absent);
    await a.pass(3_000);
    a.faults.mend('append');
    a.faults.mend('ranges');
    await a.pass(1_000);
    expect(await stores.published()).toEqual(['p1']);
  });

  test('that leaves takes its watermark with it, unless it leaves something behind', async () => {
    const [a, b] = [await boot('a'), await boot('b')];
    await a.pay('p1');
    await a.publishing.finish();
    b.faults.failAll('append', AWAY);
    await b.pay('p2');
    await b.publishing.finish();
    expect(Object.keys(await watermarks())).toEqual(['b:1']);
    expect(await a.pay('p3')).toEqual(['STORE_UNAVAILABLE']);
    expect(await isStored('p3')).toBe(false);
    const c = await boot('c');
    await c.keepSweeping(GONE_MS);
    expect(await stores.published()).toEqual(['p1', 'p2']);
  });
});

describe('what a worker leaves that is gone', () => {
  test.each([0, -3_600_000, 3_600_000])(
    'between insert and publication is published by another (its clock: %i ms)',
    async (skew) => {
      const [a, b] = [await boot('a'), await boot('b', EPOCH + skew)];
      await a.pay('p1');
      await a.pass(1_000);
      a.dieAt('append');
      void a.write([payment('p2'), payment('p3', FRAUDSTER), payment('p4')]);
      await a.death();
      expect(await isStored('p2')).toBe(true);
      await b.keepSweeping(15_000);
      expect(await stores.published()).toEqual(['p1']);
      await b.keepSweeping(5_000);
      expect(await stores.published()).toEqual(['p1', 'p2', 'p4']);
      expect(await b.republished('gone')).toBe(2);
      await b.keepSweeping(GRACE_MS);
      expect(Object.keys(await watermarks())).toEqual(['b:1']);
      expect(new Set(await stores.published())).toEqual(new Set(['p1', 'p2', 'p4']));
    },
  );

  test('is published however long it was on its way when the worker died', async () => {
    const [a, b] = [await boot('a'), await boot('b')];
    a.hangAt('append');
    void a.pay('p1');
    await a.idle();
    await a.pay('p2');
    await a.pass(10_000);
    expect((await watermarks())['a:1']).toBe(EPOCH);
    a.kill();
    await b.keepSweeping(GONE_MS);
    expect(new Set(await stores.published())).toEqual(new Set(['p1', 'p2']));
  });

  test('is published also when the clock of its machine was set back', async () => {
    const [a, b] = [await boot('a'), await boot('b')];
    await a.pass(5_000);
    a.clock.setBack(3_600_000);
    a.dieAt('append');
    void a.pay('p1');
    await a.death();
    await b.keepSweeping(GONE_MS);
    expect(await stores.published()).toEqual(['p1']);
  });

  test('and lands only then is found by the second look', async () => {
    const [a, b] = [await boot('a'), await boot('b')];
    a.faults.failNext('insertMany', LATE, 'late');
    await a.pay('p1');
    a.kill();
    await b.keepSweeping(GONE_MS);
    expect(await stores.published()).toEqual([]);
    await a.faults.land();
    await b.keepSweeping(GRACE_MS);
    expect(await stores.published()).toEqual(['p1']);
    expect(Object.keys(await watermarks())).toEqual(['b:1']);
  });

  test('is published when two look after it at the same time', async () => {
    const [a, b, c] = [await boot('a'), await boot('b'), await boot('c')];
    a.dieAt('append');
    void a.pay('p1', 'p2');
    await a.death();
    for (let run = 0; run < 16; run += 1) {
      await Promise.all([b.pass(5_000), c.pass(5_000)]);
      await Promise.all([b.sweep(), c.sweep()]);
    }
    expect(new Set(await stores.published())).toEqual(new Set(['p1', 'p2']));
    // Once each for the two looks: who comes second to a watermark leaves it alone.
    expect(await stores.published()).toHaveLength(4);
    expect(Object.keys(await watermarks())).toEqual(['b:1', 'c:1']);
  });

  test('is published when all die and the platform starts again', async () => {
    const a = await boot('a');
    a.dieAt('append');
    void a.pay('p1');
    await a.death();
    boots = [];
    await stores.reopen();
    const b = await boot('b');
    await b.keepSweeping(GONE_MS);
    expect(await stores.published()).toEqual(['p1']);
  });

  test('is published in pages, going on where the log went away', async () => {
    const [a, b] = [await boot('a'), await boot('b')];
    const ids = Array.from({ length: 1_300 }, (_, index) => `p${index}`);
    a.dieAt('append');
    void a.pay(...ids);
    await a.death();
    b.faults.passNext('append');
    b.faults.failNext('append', AWAY);
    await b.keepSweeping(GONE_MS);
    expect((await stores.published()).length).toBe(500);
    await b.keepSweeping(5_000);
    expect(await stores.published()).toEqual([...ids].sort());
  });

  test('is published by a third one when the second dies of it', async () => {
    const [a, b, c] = [await boot('a'), await boot('b'), await boot('c')];
    const ids = Array.from({ length: 1_300 }, (_, index) => `p${index}`);
    a.dieAt('append');
    void a.pay(...ids);
    await a.death();
    await b.keepSweeping(15_000);
    b.dieAt('append', 2);
    await b.pass(5_000);
    void b.sweep();
    await b.death();
    expect((await stores.published()).length).toBe(500);
    await c.keepSweeping(GONE_MS);
    expect(new Set(await stores.published())).toEqual(new Set(ids));
  });

  test('waits for the log to come back', async () => {
    const [a, b] = [await boot('a'), await boot('b')];
    a.dieAt('append');
    void a.pay('p1');
    await a.death();
    b.faults.failAll('append', AWAY);
    await b.keepSweeping(60_000);
    expect(Object.keys(await watermarks())).toEqual(['a:1', 'b:1']);
    b.faults.mend('append');
    await b.keepSweeping(5_000);
    expect(await stores.published()).toEqual(['p1']);
  });
});

/** Numbers from 0 to below 1, the same ones for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('whatever fails and dies', () => {
  test.each([1, 2, 3, 4])('every stored event is published in the end (seed %i)', async (seed) => {
    const random = randomOf(seed);
    const pick = <T>(...choices: readonly [T, ...T[]]): T =>
      choices[Math.floor(random() * choices.length)] ?? choices[0];
    const ids = new Set<string>();
    let started = 0;
    const alive = (): readonly PublishingBoot[] => boots.filter(({ isDead }) => !isDead);
    const start = (): Promise<PublishingBoot> => boot(`boot-${(started += 1)}`, EPOCH + random() * 1e6);
    /** Five seconds pass for all; what had been given up lands. */
    const pass = async (): Promise<void> => {
      for (const each of boots) await each.faults.land();
      for (const each of alive()) await each.pass(5_000);
      for (const each of alive()) await Promise.race([each.sweep(), each.idle()]);
    };
    for (let step = 0; step < 40; step += 1) {
      while (alive().length < 2) await start();
      const one = pick(...(alive() as [PublishingBoot, ...PublishingBoot[]]));
      const fault = random();
      const method = pick('insertMany', 'append', 'append', 'replace', 'find', 'replaceIf', 'findByIds');
      if (fault < 0.4) one.faults.failNext(method, LATE, pick('none', 'done', 'late'));
      else if (fault < 0.55) one.dieAt(method);
      const batch = Array.from(
        { length: 1 + Math.floor(random() * 5) },
        () => `p${Math.floor(random() * 150)}`,
      );
      for (const id of batch) ids.add(id);
      const calls = batch.map((id) => payment(id, id.endsWith('7') ? FRAUDSTER : 'bob'));
      void one.write(calls);
      await one.idle();
      if (random() < 0.3) await pass();
    }
    const survivor = await start();
    for (const each of boots) if (each !== survivor) each.kill();
    for (const each of boots) await each.faults.land();
    await survivor.keepSweeping(80_000);
    const documents = await stores.documents.findByIds(PAYMENTS, [...ids]);
    const verdicts = new Map(documents.map((document) => [document?._id, document?.['verdict']]));
    const inserted = [...ids].filter((id) => verdicts.get(id) === 'INSERTED');
    expect(inserted.length).toBeGreaterThan(20);
    expect([...verdicts.values()]).toContain('FRAUDULENT');
    expect([...new Set(await stores.published())]).toEqual(inserted.sort());
    expect(Object.keys(await watermarks())).toEqual([`boot-${started}:1`]);
  });
});

describe('a worker that is alive', () => {
  test('is never taken for gone, however idle or slow of clock it is', async () => {
    const [a, b] = [await boot('a'), await boot('b')];
    await a.pay('p1');
    for (let run = 0; run < 24; run += 1) {
      await a.pass(5_000);
      await b.pass(5_000);
      await b.sweep();
    }
    expect(Object.keys(await watermarks())).toEqual(['a:1', 'b:1']);
    expect(await b.republished('gone')).toBe(0);
  });

  test('and was taken for gone loses nothing: it goes on under a watermark that nobody removes', async () => {
    const [a, b] = [await boot('a'), await boot('b')];
    await a.pay('p1');
    // Its machine stands still for longer than it takes the others to clear up after it.
    a.clock.stall(70_000);
    await b.keepSweeping(70_000);
    expect(Object.keys(await watermarks())).toEqual(['b:1']);
    a.dieAt('append');
    void a.pay('p2');
    await a.death();
    expect(await watermarks()).toEqual({ 'a:2': EPOCH + 70_000, 'b:1': EPOCH + 70_000 - 2_000 });
    await b.keepSweeping(GONE_MS);
    expect(new Set(await stores.published())).toEqual(new Set(['p1', 'p2']));
  });

  test('removes the watermark of before when it had to take a new one', async () => {
    const a = await boot('a');
    a.clock.stall(16_000);
    expect(await a.pay('p1')).toEqual(['INSERTED']);
    await a.pass(1_000);
    expect(Object.keys(await watermarks())).toEqual(['a:2']);
  });
});

describe('while the watermark cannot be stored', () => {
  test('a worker does not start', async () => {
    const a = new PublishingBoot(stores, { bootId: 'a' });
    a.faults.failNext('replace', new PortError('unavailable', 'document-store.replace', 'away'));
    await expect(a.start()).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('it takes writes as long as the stored one counts, then none, then writes again', async () => {
    const a = await boot('a');
    a.faults.failAll('replace', new PortError('unavailable', 'document-store.replace', 'away'));
    await a.pass(14_000);
    expect(await a.pay('p1')).toEqual(['INSERTED']);
    await a.pass(1_000);
    expect(await a.write([payment('p2')])).toEqual([
      expect.objectContaining({ verdict: 'FAILED', cause: 'STORE_UNAVAILABLE', attempted: false }),
    ]);
    expect(await isStored('p2')).toBe(false);
    // What is decided already is answered all the same.
    expect(await a.pay('p1')).toEqual(['DUPLICATED']);
    await a.pass(60_000);
    a.faults.mend('replace');
    expect(await a.pay('p2')).toEqual(['INSERTED']);
    await a.pass(1_000);
    expect(Object.keys(await watermarks())).toHaveLength(1);
    expect(new Set(await stores.published())).toEqual(new Set(['p1', 'p2']));
  });
});
