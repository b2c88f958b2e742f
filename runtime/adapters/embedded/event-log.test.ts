import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord, NewRecord } from '../../ports/event-log.ts';
import { EmbeddedDatabase } from './database.ts';
import { EmbeddedEventLog } from './event-log.ts';
import { partitionOf } from '../murmur2.ts';

const HOUR_MS = 3_600_000;

let directory: string;
let database: EmbeddedDatabase;
let log: EmbeddedEventLog;
let now: number;

const open = (): EmbeddedEventLog => new EmbeddedEventLog(database, { now: () => now, retryPauseMs: 1 });
const record = (topic: string, key: string | null, value: string | null = 'value'): NewRecord => ({
  topic,
  key,
  value: value === null ? null : Buffer.from(value),
});
const keysOf = (records: readonly LogRecord[]): (string | null)[] => records.map(({ key }) => key);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mini-platform-'));
  database = await EmbeddedDatabase.open(directory);
  now = 1_700_000_000_000;
  log = open();
});

afterEach(async () => {
  await log.close();
  await database.close();
  await rm(directory, { recursive: true });
});

describe('partitions', () => {
  test('are chosen by key as Kafka chooses them, and share appends without keys in turn', async () => {
    await log.ensureTopics([{ name: 'events', partitions: 4, compacted: false }]);
    const keys = Array.from({ length: 50 }, (_, n) => `ключ ${n}`);
    await log.append(keys.map((key) => record('events', key)));
    for (let partition = 0; partition < 4; partition++) {
      const records = await log.read({ topic: 'events', partition, from: 0n, maxRecords: 100 });
      expect(keysOf(records)).toEqual(keys.filter((key) => partitionOf(Buffer.from(key), 4) === partition));
    }
    const before = await log.ranges('events');
    for (let n = 0; n < 8; n++) await log.append([record('events', null)]);
    const after = await log.ranges('events');
    expect(after.map(({ end }, n) => end - (before[n]?.end ?? 0n))).toEqual([2n, 2n, 2n, 2n]);
  });

  test('records bear the time of the clock', async () => {
    await log.ensureTopics([{ name: 'events', partitions: 1, compacted: false }]);
    await log.append([record('events', 'a')]);
    const [appended] = await log.read({ topic: 'events', partition: 0, from: 0n, maxRecords: 1 });
    expect(appended?.timestamp).toBe(now);
  });

  test('one answer holds a bounded number of bytes, yet at least one record', async () => {
    await log.ensureTopics([{ name: 'events', partitions: 1, compacted: false }]);
    const value = 'x'.repeat(900_000);
    for (let n = 0; n < 10; n++) await log.append([record('events', `${n}`, value)]);
    const records = await log.read({ topic: 'events', partition: 0, from: 0n, maxRecords: 100 });
    expect(keysOf(records)).toEqual(['0', '1', '2', '3']);
  });
});

describe('a purge', () => {
  test('removes records older than the retention, however many, and moves the start', async () => {
    await log.ensureTopics([{ name: 'events', partitions: 1, compacted: false, retentionMs: HOUR_MS }]);
    for (let n = 0; n < 3; n++) {
      await log.append(Array.from({ length: 600 }, () => record('events', 'old')));
    }
    now += HOUR_MS / 2;
    await log.append([record('events', 'young')]);
    await log.purge();
    expect(await log.ranges('events')).toEqual([{ partition: 0, start: 0n, end: 1801n }]);
    now += HOUR_MS / 2 + 1;
    await log.purge();
    expect(await log.ranges('events')).toEqual([{ partition: 0, start: 1800n, end: 1801n }]);
    now += HOUR_MS;
    await log.purge();
    expect(await log.ranges('events')).toEqual([{ partition: 0, start: 1801n, end: 1801n }]);
    await log.append([record('events', 'next')]);
    const [next] = await log.read({ topic: 'events', partition: 0, from: 1801n, maxRecords: 1 });
    expect(next).toMatchObject({ key: 'next', offset: 1801n });
  });

  test('removes tombstones after a day, and nothing else of a compacted topic', async () => {
    await log.ensureTopics([{ name: 'state', partitions: 1, compacted: true, retentionMs: 1 }]);
    await log.append([record('state', 'kept'), record('state', 'gone')]);
    await log.append([record('state', 'gone', null)]);
    const read = async (): Promise<(string | null)[]> =>
      keysOf(await log.read({ topic: 'state', partition: 0, from: 0n, maxRecords: 10 }));
    now += 24 * HOUR_MS;
    await log.purge();
    expect(await read()).toEqual(['kept', 'gone']);
    now += 1;
    await log.purge();
    expect(await read()).toEqual(['kept']);
    expect(await log.ranges('state')).toEqual([{ partition: 0, start: 0n, end: 3n }]);
  });

  test('happens when a log is opened', async () => {
    await log.ensureTopics([{ name: 'events', partitions: 1, compacted: false, retentionMs: HOUR_MS }]);
    await log.append([record('events', 'old')]);
    now += 2 * HOUR_MS;
    const opened = open();
    // Waits for the purge that the opening began, and finds nothing left.
    await opened.purge();
    expect(await opened.ranges('events')).toEqual([{ partition: 0, start: 1n, end: 1n }]);
    await opened.close();
  });

  test('keeps topics without retention for ever', async () => {
    await log.ensureTopics([{ name: 'events', partitions: 1, compacted: false }]);
    await log.append([record('events', 'old')]);
    now += 10_000 * HOUR_MS;
    await log.purge();
    expect(await log.ranges('events')).toEqual([{ partition: 0, start: 0n, end: 1n }]);
  });
});

test('a compacted topic holds one record per key at once', async () => {
  await log.ensureTopics([{ name: 'state', partitions: 1, compacted: true }]);
  await log.append(Array.from({ length: 100 }, (_, n) => record('state', `${n % 3}`)));
  const records = await log.read({ topic: 'state', partition: 0, from: 0n, maxRecords: 100 });
  expect(records.map(({ offset }) => offset)).toEqual([97n, 98n, 99n]);
});

test('a later start of the platform may change how long records are kept', async () => {
  const spec = { name: 'events', partitions: 1, compacted: false };
  await log.ensureTopics([spec]);
  await log.append([record('events', 'old')]);
  await log.ensureTopics([{ ...spec, retentionMs: HOUR_MS }]);
  now += 2 * HOUR_MS;
  await log.purge();
  expect(await log.ranges('events')).toMatchObject([{ start: 1n }]);
});
