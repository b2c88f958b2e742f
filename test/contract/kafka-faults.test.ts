import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { KafkaEventLog, type KafkaTimes } from '../../runtime/adapters/kafka/event-log.ts';
import type { LogRecord } from '../../runtime/ports/event-log.ts';
import { eventually } from '../helpers/eventually.ts';
import { ownServers } from '../services/endpoints.ts';
import { type KafkaServer, startKafka } from '../services/kafka.ts';
import { kafkaOptions, Told } from './kafka-options.ts';
import { Observed, unique } from './waiting.ts';

const own = ownServers('kafka');
const WORKERS = 8;
/** Brokers take their time to start where many tests run at once. */
const LATEST_MS = 90_000;
const TEST_MS = 240_000;
/** A member that cannot be heard is given up sooner than by default, so that a test sees it. */
const TIMES: Partial<KafkaTimes> = { sessionTimeoutMs: 2_000, heartbeatMs: 200, retryPauseMs: 50 };

const describeOwn = own.ok ? describe : describe.skip;
describeOwn(`Kafka that comes and goes${own.ok ? '' : ` (${own.reason})`}`, () => {
  let server: KafkaServer;
  const logs = new Set<KafkaEventLog>();

  beforeAll(async () => {
    server = await startKafka({ properties: { 'group.min.session.timeout.ms': '500' } });
  }, TEST_MS);
  afterAll(async () => {
    await server.stop();
  });
  afterEach(async () => {
    await Promise.all([...logs].map((log) => log.close()));
    logs.clear();
  });

  function open(told = new Told()): KafkaEventLog {
    const log = new KafkaEventLog(kafkaOptions([server.address], { observer: told }), TIMES);
    logs.add(log);
    return log;
  }

  const value = (n: number): Uint8Array => Buffer.from(`${n}`);
  const numberOf = (record: LogRecord): number => Number(Buffer.from(record.value ?? []).toString());

  async function readAll(log: KafkaEventLog, topic: string): Promise<readonly LogRecord[]> {
    const records: LogRecord[] = [];
    for (const { partition, start } of await log.ranges(topic)) {
      for (let from = start; ;) {
        const page = await log.read({ topic, partition, from, maxRecords: 1_000 });
        const last = page.at(-1);
        if (last === undefined) break;
        records.push(...page);
        from = last.offset + 1n;
      }
    }
    return records;
  }

  /** Each worker appends 0, 1, 2, ... under its key, the next one when the last one is acknowledged. */
  function startAppending(log: KafkaEventLog, topic: string) {
    const acknowledged = Array.from({ length: WORKERS }, () => -1);
    const kinds = new Set<string>();
    const slowest = { ms: 0 };
    let stopped = false;
    const work = async (worker: number): Promise<void> => {
      for (let n = 0; !stopped;) {
        const began = performance.now();
        try {
          await log.append([{ topic, key: `worker ${worker}`, value: value(n) }]);
          acknowledged[worker] = n;
          n += 1;
        } catch (error) {
          kinds.add((error as { kind: string }).kind);
          // As any client would.
          await pause(20);
        }
        slowest.ms = Math.max(slowest.ms, performance.now() - began);
      }
    };
    const running = Promise.all(acknowledged.map((_, worker) => work(worker)));
    return {
      acknowledged,
      kinds,
      slowest,
      sum: () => acknowledged.reduce((sum, n) => sum + n, 0),
      stop: async () => {
        stopped = true;
        await running;
      },
    };
  }

  async function expectGoesOn(appending: ReturnType<typeof startAppending>): Promise<void> {
    const before = [...appending.acknowledged];
    await eventually(
      'every worker gets further',
      () => appending.acknowledged.every((n, worker) => n >= (before[worker] ?? 0) + 3),
      LATEST_MS,
    );
  }

  /** All that was acknowledged is in the log, and in the order of each worker; only the unacknowledged may be there twice. */
  function expectInOrder(records: readonly LogRecord[], acknowledged: readonly number[]): void {
    acknowledged.forEach((last, worker) => {
      const numbers = records.filter(({ key }) => key === `worker ${worker}`).map(numberOf);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      const distinct = [...new Set(numbers)];
      expect(distinct.slice(0, last + 1)).toEqual(Array.from({ length: last + 1 }, (_, n) => n));
    });
  }

  test.each([
    ['killed and started again', () => server.kill(), () => server.restart()],
    [
      'stopped in its tracks for longer than a session',
      () => {
        server.pause();
        return Promise.resolve();
      },
      () => {
        server.resume();
        return Promise.resolve();
      },
    ],
  ])(
    'a broker that is %s: nothing acknowledged is lost, the order holds, and all goes on by itself',
    async (_, leave, comeBack) => {
      const told = new Told();
      const log = open(told);
      const topic = unique('topic');
      await log.ensureTopics([{ name: topic, partitions: 3, compacted: false }]);
      const seen = new Map<string, number[]>();
      const errors: Error[] = [];
      const member = (on: KafkaEventLog) =>
        on.subscribe({
          group: 'group',
          topics: [topic],
          onBatch: async (batch) => {
            for (const record of batch.records) {
              const key = record.key ?? '';
              seen.set(key, [...(seen.get(key) ?? []), numberOf(record)]);
            }
            await batch.commit((batch.records.at(-1)?.offset ?? 0n) + 1n);
          },
          onError: (error) => errors.push(error),
        });
      const subscription = await member(log);
      const appending = startAppending(log, topic);
      await expectGoesOn(appending);
      await leave();
      await eventually(
        'appends fail, and the observer is told',
        () => appending.kinds.size > 0 && told.events.at(-1)?.startsWith('down'),
        LATEST_MS,
      );
      const silentFrom = performance.now();
      await eventually('a session passes', () => performance.now() - silentFrom > 3_000, LATEST_MS);
      await comeBack();
      await expectGoesOn(appending);
      await appending.stop();
      expect([...appending.kinds].filter((kind) => kind !== 'unavailable' && kind !== 'timeout')).toEqual([]);
      expect(appending.slowest.ms).toBeLessThan(4_000);
      const records = await readAll(log, topic);
      expectInOrder(records, appending.acknowledged);
      await eventually(
        'the subscription has seen the last of each worker',
        () => appending.acknowledged.every((last, worker) => seen.get(`worker ${worker}`)?.includes(last)),
        LATEST_MS,
      );
      await subscription.close();
      appending.acknowledged.forEach((last, worker) => {
        const distinct = [...new Set(seen.get(`worker ${worker}`))];
        expect(distinct.slice(0, last + 1)).toEqual(Array.from({ length: last + 1 }, (_, n) => n));
      });
      expect(errors.every((error) => error.name === 'PortError')).toBe(true);
      expect(told.events).toContain('reconnected');
      expect(told.events.at(-1)).not.toMatch(/^down/);
    },
    TEST_MS,
  );

  test(
    'calls fail at once while the broker is known to be away, and work when it is back',
    async () => {
      const log = open();
      const topic = unique('topic');
      await server.kill();
      const ensured = log.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
      await expect(ensured).rejects.toMatchObject({ name: 'PortError', kind: 'unavailable' });
      const record = { topic, key: null, value: value(1) };
      const began = performance.now();
      for (let n = 0; n < 20; n++) {
        await expect(log.append([record])).rejects.toMatchObject({
          kind: 'unavailable',
          message: expect.stringContaining(`${server.address} cannot be reached (ECONNREFUSED)`),
        });
        await expect(log.ranges(topic)).rejects.toMatchObject({ kind: 'unavailable' });
      }
      expect(performance.now() - began).toBeLessThan(4_000);
      await server.restart();
      await eventually(
        'it is made',
        () =>
          log.ensureTopics([{ name: topic, partitions: 1, compacted: false }]).then(
            () => true,
            () => false,
          ),
        LATEST_MS,
      );
      await log.append([record]);
      expect((await readAll(log, topic)).map(numberOf)).toEqual([1]);
    },
    TEST_MS,
  );

  test(
    'a handler that works for longer than a session keeps its partition',
    async () => {
      const log = open();
      const topic = unique('topic');
      await log.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
      await log.append([{ topic, key: null, value: value(1) }]);
      const committed = new Observed<boolean>();
      const subscription = await log.subscribe({
        group: 'slow',
        topics: [topic],
        onBatch: async (batch) => {
          const began = performance.now();
          await eventually('longer than a session', () => performance.now() - began > 4_000, LATEST_MS);
          await batch.commit(1n);
          committed.push(batch.signal.aborted);
        },
        onError: () => {},
      });
      await committed.count('it commits', 1);
      expect(committed.items).toEqual([false]);
      await subscription.close();
    },
    TEST_MS,
  );

  test(
    'a subscription that is closed, and a log, end while the broker is away',
    async () => {
      const log = open();
      const topic = unique('topic');
      await log.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
      const seen = new Observed<number>();
      const subscription = await log.subscribe({
        group: 'closing',
        topics: [topic],
        onBatch: ({ records }) => seen.take(records.length),
        onError: () => {},
      });
      await log.append([{ topic, key: null, value: value(1) }]);
      await seen.count('the record', 1);
      await server.kill();
      const left = log.append([{ topic, key: null, value: value(2) }]);
      await subscription.close();
      await Promise.all([log.close(), expect(left).rejects.toMatchObject({ name: 'PortError' })]);
      await server.restart();
    },
    TEST_MS,
  );
});
