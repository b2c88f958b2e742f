import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type {
  EventLog,
  LogRecord,
  NewRecord,
  RecordBatch,
  SubscribeOptions,
  Subscription,
  TopicSpec,
} from '../../runtime/ports/event-log.ts';
import { expectPortError, gate, Observed, unique } from './waiting.ts';

/** An adapter under test, with a place of its own. */
export interface EventLogHarness {
  readonly log: EventLog;
  /** Another connection to the same log, as another process would have. */
  connect(): Promise<EventLog>;
  /** Closes the log and everything behind it in this process, and opens it again on the same data. */
  reopen(): Promise<EventLog>;
  /** Lets all records that are in the topic's partitions now grow too old, and makes retention take effect. */
  expire?(topic: string): Promise<void>;
  dispose(): Promise<void>;
}

/** Kept by topics of which nothing expires during a test, in ms. */
const DAY_MS = 86_400_000;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (value: Uint8Array | null): string | null =>
  value === null ? null : new TextDecoder().decode(value);

/** Runs the event log's contract on an adapter. */
export function describeEventLog(name: string, open: () => Promise<EventLogHarness>): void {
  describe(`event log: ${name}`, () => {
    let harness: EventLogHarness;
    let log: EventLog;
    let topic: string;
    let group: string;
    let unexpected: Error[];

    beforeEach(async () => {
      harness = await open();
      log = harness.log;
      topic = unique('topic');
      group = unique('group');
      unexpected = [];
    });

    afterEach(async () => {
      await harness.dispose();
      expect(unexpected).toEqual([]);
    });

    const spec = (partitions = 1, more: Partial<TopicSpec> = {}): TopicSpec => ({
      name: topic,
      partitions,
      compacted: false,
      ...more,
    });
    const record = (key: string | null, value: string | null): NewRecord => ({
      topic,
      key,
      value: value === null ? null : encode(value),
    });
    const appendNumbered = (count: number, from = 0): Promise<void> =>
      log.append(Array.from({ length: count }, (_, n) => record('key', `${from + n}`)));
    const readAll = async (partition = 0): Promise<readonly LogRecord[]> => {
      const range = (await log.ranges(topic)).find((each) => each.partition === partition);
      const records: LogRecord[] = [];
      let from = range?.start ?? 0n;
      for (;;) {
        const page = await log.read({ topic, partition, from, maxRecords: 500 });
        const last = page.at(-1);
        if (last === undefined) return records;
        records.push(...page);
        from = last.offset + 1n;
      }
    };
    const valuesOf = (records: readonly LogRecord[]): (string | null)[] =>
      records.map(({ value }) => decode(value));
    const numbered = (count: number, from = 0): string[] =>
      Array.from({ length: count }, (_, n) => `${from + n}`);

    describe('topics', () => {
      test('are created once: the same generation each time, in the order of the specs', async () => {
        const other = unique('other');
        const specs = [spec(3, { retentionMs: DAY_MS }), { ...spec(1), name: other }];
        const created = await log.ensureTopics(specs);
        expect(created).toMatchObject([
          { name: topic, partitions: 3 },
          { name: other, partitions: 1 },
        ]);
        const generations = created.map(({ generation }) => generation);
        expect(new Set([...generations, '']).size).toBe(3);
        expect(await log.ensureTopics(specs)).toEqual(created);
        expect(await log.ensureTopics([])).toEqual([]);
      });

      test('one that exists with fewer partitions, or another clean-up policy, is invalid', async () => {
        const compacted = unique('compacted');
        await log.ensureTopics([spec(2), { ...spec(), name: compacted, compacted: true }]);
        await expectPortError(log.ensureTopics([spec(3)]), 'invalid');
        await expectPortError(log.ensureTopics([spec(2, { compacted: true })]), 'invalid');
        await expectPortError(log.ensureTopics([{ ...spec(), name: compacted }]), 'invalid');
      });

      test('one that exists with more partitions is taken as it is', async () => {
        const [created] = await log.ensureTopics([spec(4)]);
        expect(await log.ensureTopics([spec(2)])).toEqual([created]);
      });

      test.each(['', 'white space', 'slash/slash', 'ünïcode', 'x'.repeat(201)])(
        'the name %j is invalid',
        async (bad) => {
          await expectPortError(log.ensureTopics([{ ...spec(), name: bad }]), 'invalid');
        },
      );

      test('names may hold letters of both cases, digits, dots, underscores and hyphens', async () => {
        const upper = `${topic.toUpperCase()}.a-B_9`;
        const lower = upper.toLowerCase();
        await log.ensureTopics([
          { ...spec(), name: upper },
          { ...spec(), name: lower },
        ]);
        await log.append([{ topic: upper, key: null, value: encode('upper') }]);
        expect(await log.read({ topic: lower, partition: 0, from: 0n, maxRecords: 10 })).toEqual([]);
      });
    });

    describe('append and read', () => {
      test('an empty append appends nothing', async () => {
        await log.ensureTopics([spec()]);
        await log.append([]);
        expect(await readAll()).toEqual([]);
      });

      test('records come back as they went in, with growing offsets and the time of their append', async () => {
        await log.ensureTopics([spec()]);
        const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
        const appended: NewRecord[] = [
          record('key', 'value'),
          record(null, 'no key'),
          record('', ''),
          record('é 漢 😀', null),
          { topic, key: 'bytes', value: bytes },
          { topic, key: 'view', value: bytes.subarray(10, 20) },
        ];
        await log.append(appended);
        const records = await readAll();
        expect(records.map(({ key, value }) => [key, value === null ? null : [...value]])).toEqual(
          appended.map(({ key, value }) => [key, value === null ? null : [...value]]),
        );
        const offsets = records.map(({ offset }) => offset);
        expect(offsets).toEqual(offsets.toSorted((a, b) => Number(a - b)));
        expect(new Set(offsets).size).toBe(appended.length);
        for (const { partition, timestamp } of records) {
          expect(partition).toBe(0);
          expect(Number.isInteger(timestamp)).toBe(true);
        }
      });

      test('the caller may use its buffers again as soon as append has returned', async () => {
        await log.ensureTopics([spec()]);
        const value = encode('first');
        const appended = log.append([{ topic, key: null, value }]);
        value.fill(0);
        await appended;
        expect(valuesOf(await readAll())).toEqual(['first']);
      });

      test('records of one key go to one partition, in the order of their append', async () => {
        await log.ensureTopics([spec(5)]);
        const keys = Array.from({ length: 20 }, (_, n) => `key ${n}`);
        await Promise.all(
          Array.from({ length: 10 }, (_, n) => log.append(keys.map((key) => record(key, `${key}: ${n}`)))),
        );
        const partitions = await Promise.all([0, 1, 2, 3, 4].map((partition) => readAll(partition)));
        for (const key of keys) {
          const places = partitions.flatMap((records, partition) =>
            records.some((each) => each.key === key) ? [partition] : [],
          );
          expect(places).toHaveLength(1);
          const records = partitions.flat().filter((each) => each.key === key);
          expect(valuesOf(records)).toEqual(numbered(10).map((n) => `${key}: ${n}`));
        }
        expect(partitions.filter((records) => records.length > 0).length).toBeGreaterThan(1);
      });

      test('takes 1,000 records in a call, and one call may name several topics', async () => {
        const other = unique('other');
        await log.ensureTopics([spec(), { ...spec(), name: other }]);
        const records = Array.from({ length: 1_000 }, (_, n) => ({
          ...record(`${n}`, `${n}`),
          topic: n % 2 === 0 ? topic : other,
        }));
        await log.append(records);
        const [mine] = await log.ranges(topic);
        const [others] = await log.ranges(other);
        expect([mine?.end, others?.end]).toEqual([500n, 500n]);
        expect(valuesOf(await readAll())).toEqual(numbered(500).map((n) => `${2 * Number(n)}`));
      });

      test('an unknown topic is invalid, and nothing of the call is appended', async () => {
        await log.ensureTopics([spec()]);
        const stray = { topic: unique('none'), key: null, value: encode('x') };
        await expectPortError(log.append([record('key', 'value'), stray]), 'invalid');
        expect(await readAll()).toEqual([]);
        await expectPortError(log.ranges(stray.topic), 'invalid');
        await expectPortError(
          log.read({ topic: stray.topic, partition: 0, from: 0n, maxRecords: 1 }),
          'invalid',
        );
        await expectPortError(subscribe({ topics: [topic, stray.topic] }), 'invalid');
      });

      test('a record that is too large is invalid, nothing of its call is appended, the rest goes alone', async () => {
        await log.ensureTopics([spec()]);
        const large = { topic, key: 'large', value: new Uint8Array(20 * 1024 * 1024) };
        await expectPortError(log.append([record('small', 'value'), large]), 'invalid');
        expect(await readAll()).toEqual([]);
        await log.append([record('small', 'value')]);
        expect(valuesOf(await readAll())).toEqual(['value']);
      });

      test('a failing append does not harm those that are asked at the same time', async () => {
        await log.ensureTopics([spec()]);
        const stray = log.append([{ topic: unique('none'), key: null, value: null }]);
        const good = Promise.all([appendNumbered(1, 0), appendNumbered(1, 1)]);
        await expectPortError(stray, 'invalid');
        await good;
        expect(valuesOf(await readAll())).toEqual(['0', '1']);
      });

      test('reads from an offset on, at most so many; empty at the end of the partition', async () => {
        await log.ensureTopics([spec()]);
        await appendNumbered(10);
        const read = async (from: bigint, maxRecords: number): Promise<(string | null)[]> =>
          valuesOf(await log.read({ topic, partition: 0, from, maxRecords }));
        expect(await read(0n, 3)).toEqual(['0', '1', '2']);
        expect(await read(7n, 100)).toEqual(['7', '8', '9']);
        expect(await read(10n, 100)).toEqual([]);
      });

      test('an offset outside of the partition, and a partition outside of the topic, are invalid', async () => {
        await log.ensureTopics([spec()]);
        await appendNumbered(1);
        await expectPortError(log.read({ topic, partition: 0, from: -1n, maxRecords: 1 }), 'invalid');
        await expectPortError(log.read({ topic, partition: 0, from: 2n, maxRecords: 1 }), 'invalid');
        await expectPortError(log.read({ topic, partition: 1, from: 0n, maxRecords: 1 }), 'invalid');
      });

      test('ranges tell where each partition begins and ends', async () => {
        await log.ensureTopics([spec(3)]);
        const empty = [0, 1, 2].map((partition) => ({ partition, start: 0n, end: 0n }));
        expect(await log.ranges(topic)).toEqual(empty);
        await log.append(Array.from({ length: 30 }, (_, n) => record(`${n}`, null)));
        const ranges = await log.ranges(topic);
        expect(ranges.map(({ partition }) => partition)).toEqual([0, 1, 2]);
        expect(ranges.reduce((sum, { start, end }) => sum + end - start, 0n)).toBe(30n);
      });

      test('expired records are gone from the start on, and reading there is invalid, never a skip', async () => {
        if (harness.expire === undefined) return;
        await log.ensureTopics([spec(1, { retentionMs: DAY_MS })]);
        await appendNumbered(5);
        await harness.expire(topic);
        await appendNumbered(2, 5);
        expect(await log.ranges(topic)).toEqual([{ partition: 0, start: 5n, end: 7n }]);
        await expectPortError(log.read({ topic, partition: 0, from: 4n, maxRecords: 10 }), 'invalid');
        expect(valuesOf(await log.read({ topic, partition: 0, from: 5n, maxRecords: 10 }))).toEqual([
          '5',
          '6',
        ]);
      });
    });

    describe('a compacted topic', () => {
      test('keeps the last record of each key, in order, under its offset', async () => {
        await log.ensureTopics([spec(1, { compacted: true })]);
        for (let round = 0; round < 5; round++) {
          await log.append(['a', 'b', 'c'].map((key) => record(key, `${key}${round}`)));
        }
        await log.append([record('b', 'b last')]);
        const records = await readAll();
        const last = new Map(records.map(({ key, value }) => [key, decode(value)]));
        expect(last).toEqual(
          new Map([
            ['a', 'a4'],
            ['b', 'b last'],
            ['c', 'c4'],
          ]),
        );
        const offsets = records.map(({ offset }) => offset);
        expect(offsets).toEqual(offsets.toSorted((one, other) => Number(one - other)));
        expect(records.at(-1)?.offset).toBe(15n);
        expect(await log.ranges(topic)).toMatchObject([{ partition: 0, end: 16n }]);
      });

      test('can be read from the start whatever was compacted, and from within a gap', async () => {
        await log.ensureTopics([spec(1, { compacted: true })]);
        await appendNumbered(10);
        const [range] = await log.ranges(topic);
        const from = range?.start ?? 0n;
        const all = await log.read({ topic, partition: 0, from, maxRecords: 100 });
        expect(decode(all.at(-1)?.value ?? null)).toBe('9');
        const rest = await log.read({ topic, partition: 0, from: 5n, maxRecords: 100 });
        expect(decode(rest.at(-1)?.value ?? null)).toBe('9');
      });

      test('a tombstone is the last that is seen of a key', async () => {
        await log.ensureTopics([spec(1, { compacted: true })]);
        await log.append([record('kept', '1'), record('gone', '1')]);
        await log.append([record('gone', null)]);
        const last = new Map((await readAll()).map(({ key, value }) => [key, decode(value)]));
        expect(last.get('kept')).toBe('1');
        expect(last.get('gone') ?? null).toBeNull();
      });

      test('a record without a key is invalid', async () => {
        await log.ensureTopics([spec(1, { compacted: true })]);
        await expectPortError(log.append([record('key', 'value'), record(null, 'value')]), 'invalid');
        expect(await readAll()).toEqual([]);
      });
    });

    /** Subscribes with defaults; an error that a test does not expect fails it in the end. */
    function subscribe(options: Partial<SubscribeOptions>, on: EventLog = log): Promise<Subscription> {
      return on.subscribe({
        group,
        topics: [topic],
        onBatch: () => Promise.resolve(),
        onError: (error) => unexpected.push(error),
        ...options,
      });
    }
    const commitAll = async (batch: RecordBatch): Promise<void> => {
      await batch.commit((batch.records.at(-1)?.offset ?? -1n) + 1n);
    };

    describe('a subscription', () => {
      test('of a new group starts at the start of each partition and goes on with what is appended', async () => {
        await log.ensureTopics([spec(3)]);
        await log.append(Array.from({ length: 30 }, (_, n) => record(`${n}`, `${n}`)));
        const seen = new Observed<string | null>();
        const subscription = await subscribe({
          onBatch: (batch) => {
            expect(batch.topic).toBe(topic);
            expect(batch.records.every(({ partition }) => partition === batch.partition)).toBe(true);
            seen.push(...valuesOf(batch.records));
            return Promise.resolve();
          },
        });
        await seen.count('what was there before', 30);
        await log.append(Array.from({ length: 30 }, (_, n) => record(`${n}`, `${30 + n}`)));
        await seen.count('what was appended since', 60);
        await subscription.close();
        expect(seen.items.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbered(60));
      });

      test('reads several topics', async () => {
        const other = unique('other');
        await log.ensureTopics([spec(), { ...spec(), name: other }]);
        await log.append([record(null, 'one'), { topic: other, key: null, value: encode('two') }]);
        const seen = new Observed<string>();
        const subscription = await subscribe({
          topics: [topic, other],
          onBatch: (batch) => {
            seen.push(`${batch.topic} ${valuesOf(batch.records).join()}`);
            return Promise.resolve();
          },
        });
        await seen.count('both topics', 2);
        await subscription.close();
        expect(seen.items.toSorted()).toEqual([`${topic} one`, `${other} two`].toSorted());
      });

      test('gets batches that are never empty, in order, of at most maxRecords, one after the other', async () => {
        await log.ensureTopics([spec()]);
        await appendNumbered(95);
        const seen = new Observed<string | null>();
        const sizes: number[] = [];
        let running = 0;
        const subscription = await subscribe({
          maxRecords: 10,
          onBatch: async ({ records }) => {
            running += 1;
            expect(running).toBe(1);
            await log.ranges(topic);
            sizes.push(records.length);
            running -= 1;
            seen.push(...valuesOf(records));
          },
        });
        await seen.count('all records', 95);
        await subscription.close();
        expect(seen.items).toEqual(numbered(95));
        expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
        expect(Math.min(...sizes)).toBeGreaterThan(0);
      });

      test('goes on behind a batch that was not committed, and begins again at the committed offset', async () => {
        await log.ensureTopics([spec()]);
        await appendNumbered(10);
        const first = new Observed<string | null>();
        const subscription = await subscribe({
          maxRecords: 2,
          onBatch: async (batch) => {
            if (batch.records[0]?.offset === 4n) await batch.commit(5n);
            first.push(...valuesOf(batch.records));
          },
        });
        await first.count('all of it, with one commit in the middle', 10);
        await subscription.close();
        expect(first.items).toEqual(numbered(10));
        const second = new Observed<string | null>();
        const again = await subscribe({
          onBatch: ({ records }) => second.take(...valuesOf(records)),
        });
        await second.count('what was not committed', 5);
        await again.close();
        expect(second.items).toEqual(numbered(5, 5));
      });

      test('starts where onAssigned says, or as usual where it says undefined', async () => {
        await log.ensureTopics([spec(2)]);
        await log.append(Array.from({ length: 40 }, (_, n) => record(`${n}`, null)));
        const asked = new Observed<number>();
        const seen = new Observed<LogRecord>();
        const subscription = await subscribe({
          onAssigned: (assigned, partition) => {
            expect(assigned).toBe(topic);
            asked.push(partition);
            return Promise.resolve(partition === 0 ? 5n : undefined);
          },
          onBatch: ({ records }) => seen.take(...records),
        });
        await seen.count('all but five', 35);
        await subscription.close();
        const firstOf = (wanted: number): bigint | undefined =>
          seen.items.find(({ partition }) => partition === wanted)?.offset;
        expect([firstOf(0), firstOf(1)]).toEqual([5n, 0n]);
        expect(asked.items.toSorted()).toEqual([0, 1]);
      });

      test('onAssigned may also go back behind what was committed', async () => {
        await log.ensureTopics([spec()]);
        await appendNumbered(3);
        const first = new Observed<string | null>();
        const subscription = await subscribe({
          onBatch: async (batch) => {
            await commitAll(batch);
            first.push(...valuesOf(batch.records));
          },
        });
        await first.count('the first time', 3);
        await subscription.close();
        const second = new Observed<string | null>();
        const again = await subscribe({
          onAssigned: () => Promise.resolve(1n),
          onBatch: ({ records }) => second.take(...valuesOf(records)),
        });
        await second.count('from 1 on', 2);
        await again.close();
        expect(second.items).toEqual(['1', '2']);
      });

      test('delivers the same records again when the handler fails, and skips none', async () => {
        await log.ensureTopics([spec()]);
        await appendNumbered(6);
        const attempts = new Observed<string>();
        const seen = new Observed<string | null>();
        const errors = new Observed<string>();
        const subscription = await subscribe({
          maxRecords: 2,
          onBatch: ({ records }) => {
            const values = valuesOf(records).join();
            attempts.push(values);
            const failures = attempts.items.filter((each) => each === values).length;
            if (values === '2,3' && failures <= 2) return Promise.reject(new Error(`failure ${failures}`));
            seen.push(...valuesOf(records));
            return Promise.resolve();
          },
          onError: (error) => errors.push(error.message),
        });
        await seen.count('all in the end', 6);
        await subscription.close();
        expect(seen.items).toEqual(numbered(6));
        expect(attempts.items).toEqual(['0,1', '2,3', '2,3', '2,3', '4,5']);
        expect(errors.items.map((message) => message.slice(-9))).toEqual(['failure 1', 'failure 2']);
      });

      test('a failure on one partition does not stop the others', async () => {
        await log.ensureTopics([spec(2)]);
        const ranges = async (): Promise<bigint[]> => (await log.ranges(topic)).map(({ end }) => end);
        for (let n = 0; (await ranges()).includes(0n); n++) await log.append([record(`${n}`, null)]);
        const seen = new Observed<number>();
        const subscription = await subscribe({
          onBatch: ({ partition }) => {
            if (partition === 0) return Promise.reject(new Error('of partition 0'));
            return seen.take(partition);
          },
          onError: () => {},
        });
        await seen.count('partition 1', 1);
        await subscription.close();
      });

      test('a committed offset below the start is an error that is told, and nothing is delivered', async () => {
        if (harness.expire === undefined) return;
        await log.ensureTopics([spec(1, { retentionMs: DAY_MS })]);
        await appendNumbered(5);
        const first = new Observed<number>();
        const subscription = await subscribe({
          onBatch: async (batch) => {
            await batch.commit(2n);
            first.push(1);
          },
        });
        await first.count('the commit', 1);
        await subscription.close();
        await harness.expire(topic);
        await appendNumbered(3, 5);
        const delivered: unknown[] = [];
        const errors = new Observed<Error>();
        const again = await subscribe({
          onBatch: (batch) => Promise.resolve(delivered.push(batch)).then(() => {}),
          onError: errors.push,
        });
        await errors.count('the gap', 2);
        await again.close();
        expect(errors.items).toMatchObject([{ kind: 'invalid' }, { kind: 'invalid' }]);
        expect(delivered).toEqual([]);
      });

      test('closing waits for the handler that runs, whose signal aborts and which may still commit', async () => {
        await log.ensureTopics([spec()]);
        await appendNumbered(1);
        const entered = new Observed<RecordBatch>();
        const proceed = gate();
        const order: string[] = [];
        const subscription = await subscribe({
          onBatch: async (batch) => {
            entered.push(batch);
            await proceed.opened;
            await commitAll(batch);
            order.push('handled');
          },
        });
        await entered.count('the batch', 1);
        const [batch] = entered.items;
        expect(batch?.signal.aborted).toBe(false);
        const aborted = new Promise<void>((resolve) => {
          batch?.signal.addEventListener('abort', () => resolve());
        });
        const closed = subscription.close().then(() => order.push('closed'));
        await aborted;
        proceed.open();
        await closed;
        expect(order).toEqual(['handled', 'closed']);
        expect(await log.committed(group, topic)).toEqual(new Map([[0, 1n]]));
        await expect(batch?.commit(0n)).rejects.toMatchObject({ name: 'PortError' });
        expect(await log.committed(group, topic)).toEqual(new Map([[0, 1n]]));
        await subscription.close();
      });

      test('delivers nothing once it is closed', async () => {
        await log.ensureTopics([spec()]);
        const seen = new Observed<string | null>();
        const subscription = await subscribe({
          onBatch: ({ records }) => seen.take(...valuesOf(records)),
        });
        await appendNumbered(1);
        await seen.count('the first', 1);
        await subscription.close();
        await appendNumbered(1, 1);
        const other = new Observed<string | null>();
        const witness = await subscribe({
          group: unique('witness'),
          onBatch: ({ records }) => other.take(...valuesOf(records)),
        });
        await other.count('both, in another group', 2);
        await witness.close();
        expect(seen.items).toEqual(['0']);
      });
    });

    describe('a group', () => {
      test('commits by partition and apart from other groups', async () => {
        await log.ensureTopics([spec(2)]);
        for (let n = 0; n < 20; n++) await log.append([record(`${n}`, null)]);
        expect(await log.committed(group, topic)).toEqual(new Map());
        const seen = new Observed<number>();
        const subscription = await subscribe({
          onBatch: async (batch) => {
            if (batch.partition === 1) await commitAll(batch);
            seen.push(...batch.records.map(({ partition }) => partition));
          },
        });
        await seen.count('all', 20);
        await subscription.close();
        const count = BigInt(seen.items.filter((partition) => partition === 1).length);
        expect(await log.committed(group, topic)).toEqual(new Map([[1, count]]));
        expect(await log.committed(unique('other'), topic)).toEqual(new Map());
      });

      test('each group gets every record', async () => {
        await log.ensureTopics([spec()]);
        await appendNumbered(5);
        const seen = [new Observed<string | null>(), new Observed<string | null>()];
        const subscriptions = await Promise.all(
          seen.map((each) =>
            subscribe({
              group: unique('group'),
              onBatch: ({ records }) => each.take(...valuesOf(records)),
            }),
          ),
        );
        for (const each of seen) await each.count('all records', 5);
        for (const subscription of subscriptions) await subscription.close();
        expect(seen.map(({ items }) => items)).toEqual([numbered(5), numbered(5)]);
      });

      test('spreads partitions over its members, each to one at a time, and moves them when one leaves', async () => {
        await log.ensureTopics([spec(4)]);
        const other = await harness.connect();
        const seen = new Observed<{ readonly member: string; readonly record: LogRecord }>();
        const active = new Map<number, string>();
        const member = (who: string): Partial<SubscribeOptions> => ({
          onBatch: async (batch) => {
            expect(active.get(batch.partition)).toBeUndefined();
            active.set(batch.partition, who);
            await commitAll(batch);
            active.delete(batch.partition);
            seen.push(...batch.records.map((each) => ({ member: who, record: each })));
          },
          onError: () => {},
        });
        const first = await subscribe(member('first'));
        const second = await subscribe(member('second'), other);
        // Appended until both have seen some: a real service takes its time to rebalance.
        const appending = new AbortController();
        const appended = (async (): Promise<number> => {
          let n = 0;
          for (; !appending.signal.aborted; n++) {
            await log.append(Array.from({ length: 20 }, (_, k) => record(`${k}`, `${n}`)));
            await seen.count('each round is delivered', 20 * (n + 1));
          }
          return n;
        })();
        await seen.until('both members get records', (items) =>
          ['first', 'second'].every((who) => items.some((each) => each.member === who)),
        );
        appending.abort();
        const rounds = await appended;
        await first.close();
        const before = seen.items.length;
        await log.append(Array.from({ length: 20 }, (_, k) => record(`${k}`, `${rounds}`)));
        await seen.count('the one that stays gets all', before + 20);
        expect(seen.items.slice(before).every((each) => each.member === 'second')).toBe(true);
        await second.close();
        await other.close();
        const valuesByKey = Map.groupBy(seen.items, (each) => each.record.key);
        for (const items of valuesByKey.values()) {
          // A batch that was handled but whose commit met the rebalance may come twice, never out of order.
          const numbers = items.map((each) => Number(decode(each.record.value)));
          expect([...new Set(numbers)]).toEqual(Array.from({ length: rounds + 1 }, (_, n) => n));
        }
      });

      test('a member that loses a partition finishes its handler first, then may no longer commit', async () => {
        await log.ensureTopics([spec(1)]);
        await appendNumbered(1);
        const proceed = gate();
        const entered = new Observed<RecordBatch>();
        const order = new Observed<string>();
        const first = await subscribe({
          onBatch: async (batch) => {
            entered.push(batch);
            await proceed.opened;
            order.push('first has ended');
          },
          onError: () => {},
        });
        await entered.count('the first has the partition', 1);
        const second = await subscribe({
          onBatch: async (batch) => {
            order.push('second has begun');
            await commitAll(batch);
            order.push('second has ended');
          },
          onError: () => {},
        });
        const leaving = first.close();
        proceed.open();
        await leaving;
        await order.count('both', 3);
        expect(order.items).toEqual(['first has ended', 'second has begun', 'second has ended']);
        const [batch] = entered.items;
        expect(batch?.signal.aborted).toBe(true);
        await expect(batch?.commit(0n)).rejects.toMatchObject({ name: 'PortError' });
        expect(await log.committed(group, topic)).toEqual(new Map([[0, 1n]]));
        await second.close();
      });
    });

    describe('closing', () => {
      test('records, topics and commits are there after reopening', async () => {
        const [created] = await log.ensureTopics([spec()]);
        await appendNumbered(10);
        const seen = new Observed<number>();
        await subscribe({
          maxRecords: 4,
          onBatch: async (batch) => {
            if (seen.items.length === 0) await commitAll(batch);
            seen.push(batch.records.length);
          },
        });
        await seen.count('the first batch', 1);
        log = await harness.reopen();
        expect(await log.ensureTopics([spec()])).toEqual([created]);
        expect(valuesOf(await readAll())).toEqual(numbered(10));
        expect(await log.committed(group, topic)).toEqual(new Map([[0, BigInt(seen.items[0] ?? 0)]]));
        await appendNumbered(1, 10);
        expect(valuesOf(await readAll())).toEqual(numbered(11));
      });

      test('closes subscriptions first, and calls after it reject with closed', async () => {
        await log.ensureTopics([spec()]);
        await appendNumbered(1);
        const entered = new Observed<RecordBatch>();
        const proceed = gate();
        const order: string[] = [];
        await subscribe({
          onBatch: async (batch) => {
            entered.push(batch);
            await proceed.opened;
            order.push('handled');
          },
        });
        await entered.count('the batch', 1);
        const closed = log.close().then(() => order.push('closed'));
        proceed.open();
        await closed;
        expect(order).toEqual(['handled', 'closed']);
        const calls: (() => Promise<unknown>)[] = [
          () => log.ensureTopics([spec()]),
          () => log.append([record(null, null)]),
          () => log.append([]),
          () => subscribe({}),
          () => log.read({ topic, partition: 0, from: 0n, maxRecords: 1 }),
          () => log.ranges(topic),
          () => log.committed(group, topic),
        ];
        for (const call of calls) await expectPortError(call(), 'closed');
        await log.close();
      });
    });
  });
}
