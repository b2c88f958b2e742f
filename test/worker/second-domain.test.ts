import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { LocalPlatform } from '../../cli/up/platform.ts';
import { openStores, type Stores } from '../../runtime/compose/stores.ts';
import { loadMiniPlatform } from '../../resource/load.ts';
import { systemClock } from '../../runtime/clock.ts';
import { bank } from '../../runtime/domains/bank/index.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { configsOf } from '../helpers/configs.ts';
import { eventually } from '../helpers/eventually.ts';
import { guestbook, NOTES_TOPIC } from '../helpers/guestbook-domain.ts';

let folder: string;
let stores: Stores;
let platform: LocalPlatform;
let url: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-second-'));
  const metrics = createMetrics();
  const logger = pino({ level: 'silent' });
  const text =
    'apiVersion: mini-platform.io/v1alpha1\nkind: MiniPlatform\nmetadata: { name: two }\nspec: {}\n';
  const loaded = loadMiniPlatform(text, 'two.yaml');
  if (!loaded.ok) throw new Error('the resource is not valid');
  stores = await openStores({ base: folder, name: 'two', clock: systemClock, logger, metrics });
  platform = new LocalPlatform({
    configs: configsOf(loaded.resource),
    domains: [bank, guestbook],
    version: 'test',
    logger,
    metrics,
  });
  platform.useStores(stores);
  url = await platform.startDispatcher();
  await platform.startWorkers(3);
});

afterEach(async () => {
  await platform.stop();
  await rm(folder, { recursive: true });
});

async function sign(
  book: string,
  name: string,
  key: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/books/${book}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ name }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('one worker leads each key, and keys spread over the workers', async () => {
  const leaders = new Map<string, Set<unknown>>();
  for (let index = 0; index < 90; index += 1) {
    const book = `book-${index % 15}`;
    const { status, body } = await sign(book, 'alice', `key-${index}`);
    expect(status).toBe(201);
    leaders.set(book, (leaders.get(book) ?? new Set()).add(body['servedBy']));
  }
  expect([...leaders.values()].map((served) => served.size)).toEqual(Array.from({ length: 15 }, () => 1));
  expect(new Set([...leaders.values()].flatMap((served) => [...served])).size).toBeGreaterThan(1);
});

test('a write of a second domain is idempotent like any other', async () => {
  const first = await sign('b', 'alice', 'k');
  expect(await sign('b', 'alice', 'k')).toEqual({ status: 200, body: first.body });
  expect(await sign('b', 'bob', 'k')).toMatchObject({
    status: 422,
    body: { code: 'IDEMPOTENCY_KEY_REUSED' },
  });
});

test('records of a flow are applied once each, whichever worker consumes them, and committed', async () => {
  const records = Array.from({ length: 60 }, (_, index) => ({
    topic: NOTES_TOPIC,
    key: `note-${index}`,
    value: Buffer.from(`text ${index}`),
  }));
  await stores.log.append(records);
  await eventually('every note can be read', async () => {
    const texts = await Promise.all(
      records.map(
        async ({ key }) => ((await (await fetch(`${url}/notes/${key}`)).json()) as { text: unknown }).text,
      ),
    );
    return texts.every((text, index) => text === `text ${index}`);
  });
  await eventually('every offset is committed', async () => {
    const committed = await stores.log.committed(`guestbook.${NOTES_TOPIC}`, NOTES_TOPIC);
    const ranges = await stores.log.ranges(NOTES_TOPIC);
    return ranges.every(({ partition, end }) => (committed.get(partition) ?? 0n) === end);
  });
});

test('a background task runs on its schedule, and goes on when its worker has left', async () => {
  const by = (): Promise<unknown> =>
    eventually(
      'the task has run',
      async () => (await stores.documents.findByIds('guestbook_sweeps', ['last']))[0]?.['by'],
    );
  await by();
  await platform.workers.scale(1);
  await stores.documents.remove('guestbook_sweeps', ['last']);
  expect(typeof (await by())).toBe('string');
});
