import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ObjectStore } from '../../runtime/ports/object-store.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { systemClock } from '../../runtime/clock.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { ArchiveStores, NEVER_MS, type Scene } from './archive-stores.ts';

let stores: ArchiveStores;
let scene: Scene;

beforeAll(async () => {
  stores = await ArchiveStores.open();
});
afterEach(() => scene.end());
afterAll(() => stores.close());

/** The scene's archive is whole, and every record appended is in it once. */
async function expectWhole(): Promise<void> {
  expect(await scene.findings()).toEqual([]);
  const archived = await scene.archived();
  expect(archived.toSorted()).toEqual(scene.appended.toSorted());
}

describe('an archiver', () => {
  test('stores a batch when it is full, and commits it', async () => {
    scene = await stores.scene();
    await scene.append(10);
    const { metrics } = await scene.running({ batchSize: 4 });
    await scene.untilArchived(8);
    const { generation, topic } = scene;
    const prefix = `${topic.name}/${generation}/0`;
    expect(await scene.keys()).toEqual([
      `${prefix}/00000000000000000000.ndjson.gz`,
      `${prefix}/00000000000000000004.ndjson.gz`,
    ]);
    await eventually('the commit', async () => {
      const committed = await stores.log.committed(`archiver-${topic.name}`, topic.name);
      return committed.get(0) === 8n;
    });
    expect(await metrics.archivedRecords.get()).toMatchObject({ values: [{ value: 8 }] });
    expect(await metrics.archivedObjects.get()).toMatchObject({ values: [{ value: 2 }] });
  });

  test('stores a batch that is not full when it is old enough, and a new one takes its own time', async () => {
    scene = await stores.scene();
    const clock = new ManualClock();
    await scene.running({ batchSize: 100, maxAgeMs: 5_000, clock });
    const timersAtRest = clock.timers;
    await scene.append(3);
    await eventually('records are buffered', () => clock.timers > timersAtRest);
    clock.advance(4_999);
    expect(await scene.archived()).toEqual([]);
    clock.advance(1);
    await scene.untilArchived(3);
    await scene.append(1);
    await eventually('one more is buffered', () => clock.timers > timersAtRest);
    clock.advance(4_999);
    expect(await scene.archived()).toHaveLength(3);
    clock.advance(1);
    await scene.untilArchived(4);
    await expectWhole();
  });

  test('stores a batch that would become too large, and a record that is too large alone', async () => {
    scene = await stores.scene();
    const large = Buffer.from(JSON.stringify({ text: 'x'.repeat(2_000) }));
    await scene.append(3);
    await stores.log.append([{ topic: scene.topic.name, key: 'large', value: large }]);
    await stores.log.append([{ topic: scene.topic.name, key: 'last', value: null }]);
    const { archiver } = await scene.running({ batchSize: 100, maxBytes: 1_000 });
    await scene.untilArchived(4);
    await archiver.stop(10_000);
    expect(await scene.keys()).toHaveLength(3);
    expect(await scene.archived()).toEqual([...scene.appended, 'large', 'last']);
    expect(await scene.findings()).toEqual([]);
  });

  test('stores what it has buffered when it stops', async () => {
    scene = await stores.scene({ partitions: 4 });
    await scene.append(50);
    const clock = new ManualClock();
    const first = await scene.running({ batchSize: 1_000, clock });
    // The timer of the monitor, and one of each partition that has something buffered.
    await eventually('records of each partition are buffered', () => clock.timers === 5);
    await first.archiver.stop(10_000);
    expect(first.archiver.readiness()).toMatchObject({ state: 'STOPPED', ready: false });
    await expectWhole();
    const committed = await stores.log.committed(`archiver-${scene.topic.name}`, scene.topic.name);
    expect([...committed.values()].reduce((sum, offset) => sum + offset, 0n)).toBe(50n);
  });

  test('goes on where the archive ends, whatever was committed', async () => {
    scene = await stores.scene();
    await scene.append(8);
    const first = await scene.running();
    await scene.untilArchived(8);
    await first.archiver.stop(10_000);
    await scene.append(4);
    // A group without any commit, and one that has gone too far.
    const { name } = scene.topic;
    const ahead = await stores.log.subscribe({
      group: 'ahead',
      topics: [name],
      onBatch: (batch) => batch.commit(12n),
      onError: () => {},
    });
    await eventually(
      'the wrong commit',
      async () => (await stores.log.committed('ahead', name)).get(0) === 12n,
    );
    await ahead.close();
    const second = await scene.running({ group: 'ahead' });
    await scene.untilArchived(12);
    await second.archiver.stop(10_000);
    await scene.append(4);
    await scene.running({ group: 'none' });
    await scene.untilArchived(16);
    await expectWhole();
  });

  test('begins a chain of its own in each generation of the topic', async () => {
    scene = await stores.scene();
    await scene.append(4);
    const first = await scene.running();
    await scene.untilArchived(4);
    await first.archiver.stop(10_000);
    const other = await stores.scene();
    // As if the topic had been made again: the same name, another generation.
    const log = proxied(stores.log, {
      ensureTopics: () => Promise.resolve([{ ...scene.topic, generation: other.generation }]),
    });
    await scene.running({ log, group: 'other-generation' });
    await scene.untilArchived(8);
    expect(await scene.findings()).toEqual([]);
    const chains = new Set((await scene.keys()).map((key) => key.split('/')[1]));
    expect(chains).toEqual(new Set([scene.generation, other.generation]));
  });

  test('shares the partitions with others of its group, which take over when it leaves', async () => {
    scene = await stores.scene({ partitions: 4 });
    const one = await scene.running();
    const two = await scene.running();
    await scene.append(200);
    await eventually('both archive', async () => {
      const counts = await Promise.all([one, two].map(({ metrics }) => metrics.archivedRecords.get()));
      return counts.every(({ values }) => (values[0]?.value ?? 0) > 0);
    });
    await one.archiver.stop(10_000);
    await scene.append(200);
    await scene.untilArchived(380);
    await two.archiver.stop(10_000);
    await expectWhole();
    const conflicts = await two.metrics.archiveConflicts.get();
    expect(conflicts.values[0]?.value).toBe(0);
  });

  test('waits for room while it cannot store, and holds no more than two batches', async () => {
    scene = await stores.scene();
    await scene.append(100);
    let isAway = true;
    const objects = withPut((put) => (isAway ? Promise.reject(away()) : put()));
    const { archiver, metrics } = await scene.running({ objects });
    await eventually('several tries', async () => {
      const { values } = await metrics.archiveUploadFailures.get();
      return (values[0]?.value ?? 0) > 3;
    });
    expect(archiver.readiness()).toMatchObject({ ready: false, reason: expect.stringContaining('is away') });
    const held = await stores.log.committed(`archiver-${scene.topic.name}`, scene.topic.name);
    expect(held.size).toBe(0);
    isAway = false;
    await scene.untilArchived(100);
    await eventually('it is well', () => archiver.readiness().ready);
    await expectWhole();
  });

  test('takes an object that was stored without an answer for its own', async () => {
    scene = await stores.scene();
    await scene.append(8);
    let lost = 1;
    const objects = withPut(async (put) => {
      const result = await put();
      if (lost-- > 0) throw away();
      return result;
    });
    const { metrics } = await scene.running({ objects });
    await scene.untilArchived(8);
    await expectWhole();
    expect((await metrics.archiveConflicts.get()).values[0]?.value).toBe(0);
    await eventually('both are counted', async () => {
      const { values } = await metrics.archivedRecords.get();
      return values[0]?.value === 8;
    });
  });

  test('loses no record and doubles none when others archive the same partition', async () => {
    scene = await stores.scene({ partitions: 2 });
    await scene.append(500);
    const sizes = [3, 5, 7];
    const all = await Promise.all(
      sizes.map((batchSize) => scene.running({ batchSize, group: `${scene.topic.name}-${batchSize}` })),
    );
    await scene.untilArchived(490);
    await Promise.all(all.map(({ archiver }) => archiver.stop(10_000)));
    await expectWhole();
    const conflicts = await Promise.all(all.map(({ metrics }) => metrics.archiveConflicts.get()));
    expect(conflicts.some(({ values }) => (values[0]?.value ?? 0) > 0)).toBe(true);
  });

  test('goes on behind a winner that is ahead of what it has', async () => {
    scene = await stores.scene();
    await scene.append(4);
    let hold: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      hold = resolve;
    });
    const objects = withPut(async (put) => {
      await held;
      return put();
    });
    const slow = await scene.running({ objects, group: 'slow', batchSize: 4 });
    await scene.append(20);
    const fast = await scene.running({ group: 'fast', batchSize: 5 });
    await scene.untilArchived(20);
    await fast.archiver.stop(10_000);
    hold?.();
    await scene.append(8);
    await scene.untilArchived(32);
    await slow.archiver.stop(10_000);
    await expectWhole();
  });
});

describe('an archiver that must not run', () => {
  test('refuses a store that does not honour conditional puts', async () => {
    scene = await stores.scene();
    const objects = overlay({
      put: (bucket, key, body, options) =>
        stores.objects.put(bucket, key, body, { metadata: options?.metadata ?? {} }),
    });
    const { archiver } = scene.archiver({ objects });
    await expect(archiver.start()).rejects.toThrow(/does not honour conditional puts/);
    expect(archiver.readiness()).toMatchObject({
      state: 'STOPPED',
      ready: false,
      reason: expect.stringContaining('does not honour conditional puts'),
    });
    expect(await scene.keys()).toEqual([]);
  });

  test('refuses a topic that is another one than was asked for', async () => {
    scene = await stores.scene();
    const { archiver } = scene.archiver({ topic: { ...scene.topic, partitions: 9 } });
    await expect(archiver.start()).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('waits for a service that is away at the start, says so, and can be stopped meanwhile', async () => {
    scene = await stores.scene();
    let isAway = true;
    const ensureBuckets = (names: readonly string[]): Promise<void> =>
      isAway ? Promise.reject(away()) : stores.objects.ensureBuckets(names);
    const waiting = scene.archiver({ objects: overlay({ ensureBuckets }) }).archiver;
    const stopped = scene.archiver({ objects: overlay({ ensureBuckets }) }).archiver;
    const started = waiting.start();
    const neverStarted = stopped.start();
    await eventually('it says for what', () =>
      waiting.readiness().reason?.includes('waits for the object store'),
    );
    expect(waiting.readiness()).toMatchObject({ state: 'STARTING', ready: false });
    await within('the stop', stopped.stop(1_000));
    await within('the start ends', neverStarted);
    expect(stopped.readiness().state).toBe('STOPPED');
    isAway = false;
    await within('the start', started);
    expect(waiting.readiness()).toEqual({ role: 'archiver', state: 'READY', ready: true });
  });
});

describe('a partition that cannot be archived', () => {
  test('stops when the log lost records that are not archived, and the others go on', async () => {
    scene = await stores.scene({ partitions: 2, retentionMs: 86_400_000 });
    await scene.append(20);
    stores.agedMs += 7 * 86_400_000;
    await stores.log.purge();
    const { archiver, metrics } = await scene.running();
    const stopped =
      /stopped: partition \d of topic-\w+ begins at offset \d+, but the archive has it up to 0 only/;
    await eventually('it says so', () => stopped.test(archiver.readiness().reason ?? ''));
    expect(archiver.readiness().ready).toBe(false);
    await eventually(
      'both have stopped',
      async () => (await metrics.archiveStopped.get()).values.length === 2,
    );
    expect((await metrics.archiveStopped.get()).values[0]).toMatchObject({
      labels: { reason: 'records-lost' },
      value: 1,
    });
    const [key, next] =
      /archive-\w+\/(\S+) that has the metadata from=0, next=(\d+)/
        .exec(archiver.readiness().reason ?? '')
        ?.slice(1) ?? [];
    await stores.objects.put(scene.bucket, key ?? '', Buffer.alloc(0), {
      metadata: { from: '0', next: next ?? '', count: '0' },
    });
    await eventually('the one that was declared lost goes on', async () => {
      return (await metrics.archiveStopped.get()).values.length === 1;
    });
    await scene.append(40);
    await scene.untilArchived(8);
    expect(await scene.findings()).toEqual(['loss']);
  });

  test('stops when the log ends before the archive', async () => {
    scene = await stores.scene();
    await scene.append(8);
    const first = await scene.running();
    await scene.untilArchived(8);
    await first.archiver.stop(10_000);
    const shorter = await stores.scene();
    await shorter.append(5);
    const { archiver } = await scene.running({ log: restored(shorter) });
    await eventually('it says so', () =>
      archiver.readiness().reason?.includes('ends at offset 5, but the archive has it up to 8'),
    );
    expect(await scene.archived()).toHaveLength(8);
  });

  test('stops when the log holds other records than were archived', async () => {
    scene = await stores.scene();
    await scene.append(8);
    const first = await scene.running();
    await scene.untilArchived(8);
    await first.archiver.stop(10_000);
    const other = await stores.scene();
    stores.agedMs += 1;
    await other.append(30);
    const { archiver } = await scene.running({ log: restored(other) });
    await eventually('it says so', () =>
      archiver.readiness().reason?.includes('holds another record at offset 7 than was archived'),
    );
    expect(await scene.archived()).toHaveLength(8);
  });

  test('stops when the last object does not say what it holds', async () => {
    scene = await stores.scene();
    await scene.append(8);
    const first = await scene.running();
    await scene.untilArchived(8);
    await first.archiver.stop(10_000);
    const last = (await scene.keys()).at(-1) ?? '';
    await stores.objects.put(scene.bucket, last, Buffer.from('copied without its metadata'));
    const { archiver } = await scene.running();
    await eventually('it says so', () => archiver.readiness().reason?.includes('does not say what it holds'));
    await stores.objects.remove(scene.bucket, last);
    await scene.untilArchived(8);
    await eventually('it is well', () => archiver.readiness().ready);
    await expectWhole();
  });
});

describe('what is measured', () => {
  test('the lag of each partition and the age of its oldest record', async () => {
    scene = await stores.scene({ partitions: 2 });
    const clock = new ManualClock(Date.now() + stores.agedMs);
    const { archiver, metrics } = await scene.running({ clock, batchSize: 100, maxAgeMs: NEVER_MS });
    await scene.append(30);
    clock.advance(60_000);
    const lags = async (): Promise<number> => {
      const { values } = await metrics.archiveLag.get();
      return values.reduce((sum, { value }) => sum + value, 0);
    };
    await eventually('the lag is known', async () => {
      clock.advance(5_000);
      return (await lags()) === 30;
    });
    const ages = await metrics.archiveOldestAge.get();
    expect(ages.values).toHaveLength(2);
    for (const { value } of ages.values) expect(value).toBeGreaterThan(50);
    expect(archiver.readiness().ready).toBe(true);
  });

  test('nothing while the log is away', async () => {
    scene = await stores.scene();
    let isAway = false;
    const ranges = (topic: string): ReturnType<typeof stores.log.ranges> =>
      isAway ? Promise.reject(away()) : stores.log.ranges(topic);
    const log = proxied(stores.log, { ranges });
    const clock = new ManualClock(systemClock.now());
    const { archiver, metrics } = await scene.running({ clock, log });
    await scene.append(4);
    await scene.untilArchived(4);
    clock.advance(5_000);
    await eventually('the lag is known', async () => (await metrics.archiveLag.get()).values.length === 1);
    isAway = true;
    await eventually('it is not known', async () => {
      clock.advance(5_000);
      return (await metrics.archiveLag.get()).values.length === 0;
    });
    expect(archiver.readiness()).toMatchObject({
      ready: false,
      reason: expect.stringContaining('waits for the event log'),
    });
  });
});

function away(): PortError {
  return new PortError('unavailable', 'test', 'it is away');
}

/** An object with some of its methods replaced. */
function proxied<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get: (object, property) => {
      const value: unknown = Reflect.get(Reflect.has(methods, property) ? methods : object, property);
      return typeof value === 'function' ? (value.bind(object) as unknown) : value;
    },
  });
}

function overlay(methods: Partial<ObjectStore>): ObjectStore {
  return proxied<ObjectStore>(stores.objects, methods);
}

/** The store with something around the puts of objects; that of the probe is left alone. */
function withPut(
  around: (put: () => ReturnType<ObjectStore['put']>) => ReturnType<ObjectStore['put']>,
): ObjectStore {
  return overlay({
    put: (bucket, key, body, options) => {
      const put = (): ReturnType<ObjectStore['put']> => stores.objects.put(bucket, key, body, options);
      return key.startsWith('.probe/') ? put() : around(put);
    },
  });
}

/** Another topic under the name and the generation of the scene's: the log after a restore from a backup. */
function restored(other: Scene): typeof stores.log {
  const { name } = other.topic;
  return proxied(stores.log, {
    ensureTopics: () => Promise.resolve([{ ...scene.topic, generation: scene.generation }]),
    ranges: () => stores.log.ranges(name),
    read: (options) => stores.log.read({ ...options, topic: name }),
    subscribe: (options) => stores.log.subscribe({ ...options, topics: [name] }),
  });
}
