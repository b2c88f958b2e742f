import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Batch } from '../../runtime/archive/batch.ts';
import { toMetadata } from '../../runtime/archive/object-facts.ts';
import { objectKey } from '../../runtime/archive/object-key.ts';
import { readArchive, type RecordFilter } from '../../runtime/archive/reader.ts';
import { decodeLine } from '../../runtime/archive/line.ts';
import { ArchiveStores, type Scene } from './archive-stores.ts';

const OBJECTS = 6;
const PER_OBJECT = 4;
const BEGIN = 1_700_000_000_000;
const MINUTE_MS = 60_000;

let stores: ArchiveStores;
let scene: Scene;

beforeAll(async () => {
  stores = await ArchiveStores.open();
});
afterEach(() => scene.end());
afterAll(() => stores.close());

/** An archive of one partition, a record a minute; returns the keys of its objects. */
async function written(): Promise<readonly string[]> {
  scene = await stores.scene();
  await stores.objects.ensureBuckets([scene.bucket]);
  const chain = { topic: scene.topic.name, generation: scene.generation, partition: 0 };
  const keys: string[] = [];
  for (let number = 0; number < OBJECTS; number += 1) {
    const batch = new Batch(BigInt(number * PER_OBJECT));
    for (let place = 0; place < PER_OBJECT; place += 1) {
      const n = number * PER_OBJECT + place;
      const value = Buffer.from(JSON.stringify({ id: `event-${n}` }));
      const timestamp = BEGIN + n * MINUTE_MS;
      batch.add({ partition: 0, offset: BigInt(n), timestamp, key: `key-${n}`, value });
    }
    const { body, facts } = await batch.pack();
    const key = objectKey(chain, facts.from);
    await stores.objects.put(scene.bucket, key, body, { metadata: toMetadata(facts) });
    keys.push(key);
  }
  return keys;
}

interface Stored {
  readonly body: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}

async function get(key: string): Promise<Stored> {
  const object = await stores.objects.get(scene.bucket, key);
  if (object === undefined || object === 'unchanged') throw new Error(`${key} is not there`);
  const pieces: Uint8Array[] = [];
  for await (const piece of object.body) pieces.push(piece);
  return { body: Buffer.concat(pieces), metadata: object.metadata };
}

async function put(key: string, { body, metadata }: Stored): Promise<void> {
  await stores.objects.put(scene.bucket, key, body, { metadata });
}

/** Replaces an object by what a change makes of it. */
async function change(key: string, how: (stored: Stored) => Stored): Promise<void> {
  await put(key, how(await get(key)));
}

function withText(text: (text: string) => string): (stored: Stored) => Stored {
  return ({ body, metadata }) => ({ body: gzipSync(text(gunzipSync(body).toString())), metadata });
}

function beside(key: string, name: string): string {
  return `${key.slice(0, key.lastIndexOf('/') + 1)}${name}`;
}

/** What may happen to the object with this key, and what is to be found then. */
interface Damage {
  readonly name: string;
  readonly harm: (key: string) => Promise<void>;
  readonly found: readonly string[];
}

const DAMAGES: readonly Damage[] = [
  { name: 'removed', harm: (key) => stores.objects.remove(scene.bucket, key), found: ['gap'] },
  {
    name: 'copied',
    harm: async (key) => put(beside(key, '00000000000000001000.ndjson.gz'), await get(key)),
    found: ['overlap', 'name'],
  },
  {
    name: 'copied under a stray name',
    harm: async (key) => put(`${key}.bak`, await get(key)),
    found: ['stray'],
  },
  {
    name: 'renamed',
    harm: async (key) => {
      await put(beside(key, '00000000000000000009.ndjson.gz'), await get(key));
      await stores.objects.remove(scene.bucket, key);
    },
    found: ['name'],
  },
  {
    name: 'altered in one byte',
    harm: (key) =>
      change(key, ({ body, metadata }) => {
        const altered = Buffer.from(body);
        altered[40] = (altered[40] ?? 0) ^ 1;
        return { body: altered, metadata };
      }),
    found: ['checksum'],
  },
  {
    name: 'cut short',
    harm: (key) =>
      change(key, ({ body, metadata }) => ({ body: body.subarray(0, body.length - 12), metadata })),
    found: ['unreadable', 'checksum'],
  },
  {
    name: 'emptied',
    harm: (key) => change(key, ({ metadata }) => ({ body: Buffer.alloc(0), metadata })),
    found: ['unreadable', 'checksum'],
  },
  {
    name: 'robbed of a line',
    harm: (key) =>
      change(
        key,
        withText((text) => text.slice(text.indexOf('\n') + 1)),
      ),
    found: ['checksum', 'count', 'offsets', 'metadata'],
  },
  {
    name: 'given a line twice',
    harm: (key) =>
      change(
        key,
        withText((text) => text.slice(0, text.indexOf('\n') + 1) + text),
      ),
    found: ['offsets', 'checksum', 'count'],
  },
  {
    name: 'given a line that is no record',
    harm: (key) =>
      change(
        key,
        withText((text) => `${text}{"offset":7}\n`),
      ),
    found: ['line', 'checksum'],
  },
  {
    name: 'robbed of its metadata',
    harm: (key) => change(key, ({ body }) => ({ body, metadata: {} })),
    found: ['metadata'],
  },
  {
    name: 'said to hold more than it does',
    harm: (key) => change(key, ({ body, metadata }) => ({ body, metadata: { ...metadata, count: '3' } })),
    found: ['count'],
  },
];

describe('a verification', () => {
  test('of a whole archive finds nothing, and counts', async () => {
    await written();
    const events = await scene.verified();
    expect(events.filter(({ type }) => type === 'finding')).toEqual([]);
    expect(events.at(-1)).toEqual({
      type: 'partition',
      chain: { topic: scene.topic.name, generation: scene.generation, partition: 0 },
      objects: OBJECTS,
      records: OBJECTS * PER_OBJECT,
      first: 0n,
      last: 23n,
      findings: 0,
    });
  });

  test('passes over a probe that a kill has left behind', async () => {
    await written();
    await stores.objects.put(scene.bucket, '.probe/8c1b', Buffer.from('first'));
    expect(await scene.findings()).toEqual([]);
  });

  test.each(DAMAGES)('finds an object that is $name', async ({ harm, found }) => {
    const keys = await written();
    await harm(keys[2] ?? '');
    expect((await scene.findings()).toSorted()).toEqual(expect.arrayContaining(found.toSorted()));
  });

  test('finds something whatever happens to whichever objects', async () => {
    const property = fc.asyncProperty(
      // All but the last one: that it is removed only the log could tell.
      fc.uniqueArray(fc.nat(OBJECTS - 2), { minLength: 1, maxLength: 3 }),
      fc.array(fc.constantFrom(...DAMAGES), { minLength: 3, maxLength: 3 }),
      async (places, damages) => {
        const keys = await written();
        for (const [index, place] of places.entries()) await damages[index]?.harm(keys[place] ?? '');
        expect(await scene.findings()).not.toEqual([]);
        await scene.end();
      },
    );
    await fc.assert(property, { numRuns: 30 });
  });

  test('tells which offsets are missing, and goes on behind the gap', async () => {
    const keys = await written();
    await stores.objects.remove(scene.bucket, keys[0] ?? '');
    await stores.objects.remove(scene.bucket, keys[3] ?? '');
    const events = await scene.verified();
    const findings = events.filter((event) => event.type === 'finding');
    expect(findings).toEqual([
      { type: 'finding', kind: 'gap', key: keys[1], message: 'offsets 0 to 3 are missing before it' },
      { type: 'finding', kind: 'gap', key: keys[4], message: 'offsets 12 to 15 are missing before it' },
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'partition', objects: 4, records: 16, findings: 2 });
  });
});

describe('reading', () => {
  async function keysRead(filter: RecordFilter): Promise<readonly unknown[]> {
    const found: unknown[] = [];
    const archive = { objects: stores.objects, bucket: scene.bucket };
    for await (const each of readArchive(archive, filter)) {
      found.push(each.kind === 'record' ? decodeLine(each.line)?.key : each.message);
    }
    return found;
  }
  const minute = (n: number): number => BEGIN + n * MINUTE_MS;
  const keysOf = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, place) => `key-${from + place}`);

  test('gives the records of any time, from its beginning on and before its end', async () => {
    await written();
    const property = fc.asyncProperty(
      fc.option(fc.integer({ min: -2, max: 26 }), { nil: undefined }),
      fc.option(fc.integer({ min: -2, max: 26 }), { nil: undefined }),
      async (from, to) => {
        const filter = {
          ...(from === undefined ? {} : { from: minute(from) }),
          ...(to === undefined ? {} : { to: minute(to) }),
        };
        const first = Math.max(0, from ?? 0);
        const end = Math.max(first, Math.min(24, to ?? 24));
        expect(await keysRead(filter)).toEqual(keysOf(first, end));
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  test('opens no object that holds none of the time', async () => {
    const keys = await written();
    for (const key of [keys[0], keys[5]])
      await change(key ?? '', ({ metadata }) => ({ body: Buffer.alloc(0), metadata }));
    expect(await keysRead({ from: minute(6), to: minute(10) })).toEqual(keysOf(6, 10));
  });

  test('finds an event by its id, in its key or in its value', async () => {
    await written();
    expect(await keysRead({ id: 'key-7' })).toEqual(['key-7']);
    expect(await keysRead({ id: 'event-7' })).toEqual(['key-7']);
    expect(await keysRead({ id: 'event-7', from: minute(8) })).toEqual([]);
  });

  test('tells of damage and goes on', async () => {
    const keys = await written();
    await change(
      keys[1] ?? '',
      withText((text) => `${text}no record\n`),
    );
    await change(keys[2] ?? '', ({ metadata }) => ({ body: Buffer.from('no gzip'), metadata }));
    await put(keys[3] ?? '', { body: Buffer.alloc(0), metadata: { from: '12', next: '16', count: '0' } });
    expect(await keysRead({})).toEqual([
      ...keysOf(0, 8),
      'line 5 is no record',
      expect.stringContaining('incorrect header check'),
      'offsets 12 to 15 were declared lost',
      ...keysOf(16, 24),
    ]);
  });
});
