import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pino } from 'pino';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { Feeder } from '../../runtime/roles/feeder/feeder.ts';
import { eventually, turn } from '../helpers/eventually.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { FRAUD_SET, judge, stepped } from './judge.ts';
import { ListObject, SOURCE } from './list-object.ts';

const CLIENTS = Array.from({ length: 24 }, (_, n) => `client ${n}`);
/** Versions of the list; some are refused. */
const VERSIONS = [
  CLIENTS.filter((_, n) => n % 2 === 0),
  CLIENTS.filter((_, n) => n % 3 === 0),
  CLIENTS.filter((_, n) => n < 20),
  CLIENTS,
];
const contentOf = (version: number): string => {
  const names = VERSIONS[version] ?? [];
  return [...names, ...names.slice(0, 5)].join('\r\n');
};
const REFUSED = [Buffer.from('client 1\nM\u00fcller', 'latin1'), Buffer.from('\n\n')];

/** What may happen at a step of a feeder, to the cache, the object or the step itself. */
const EVENTS: Readonly<Record<string, (world: World) => void | Promise<void>>> = {
  nothing: () => {},
  flush: ({ data }) => data.flush(),
  failOver: ({ data }) => data.failOver(),
  evict: ({ data }) => data.delete(FRAUD_SET),
  remove: ({ object }) => object.remove(),
  cut: ({ object }) => {
    object.cutBytes = object.cutBytes === 0 ? 7 : 0;
  },
  reject: () => {
    throw new PortError('unavailable', 'port', 'away');
  },
  // The others go on.
  wait: async () => {
    for (let turns = 0; turns < 10; turns += 1) await turn();
  },
  ...Object.fromEntries(
    VERSIONS.map((_, version) => [`put ${version}`, ({ object }: World) => object.put(contentOf(version))]),
  ),
  ...Object.fromEntries(
    REFUSED.map((content, index) => [`put refused ${index}`, ({ object }: World) => object.put(content)]),
  ),
};

const events = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.constant('nothing') },
    { weight: 1, arbitrary: fc.constantFrom(...Object.keys(EVENTS)) },
  ),
  { minLength: 20, maxLength: 150, size: 'max' },
);

class World {
  readonly clock = new ManualClock();
  readonly data = new CacheData(() => this.clock.now());
  readonly cache = new EmbeddedCache(this.data);
  readonly object = new ListObject();
  readonly #events: string[];

  constructor(list: readonly string[]) {
    this.#events = [...list];
    this.object.pieceBytes = 50;
    this.object.put(contentOf(0));
    this.object.before = () => this.#step();
  }

  feeder(): Feeder {
    return new Feeder({
      objects: this.object.store,
      cache: stepped(this.cache, () => this.#step()),
      source: SOURCE,
      set: FRAUD_SET,
      intervalMs: 5_000,
      allowEmpty: false,
      clock: this.clock,
      logger: pino({ level: 'silent' }),
      metrics: createMetrics(),
    });
  }

  /** Asserts that judging is by one whole version of the list, or not at all. */
  async check(): Promise<string> {
    const refused = await judge(this.cache, CLIENTS);
    if (refused === 'unknown') return 'unknown';
    expect(VERSIONS.map((version) => version.join())).toContain(refused.join());
    return refused.join();
  }

  async #step(): Promise<void> {
    await this.check();
    await EVENTS[this.#events.shift() ?? 'nothing']?.(this);
    await this.check();
  }
}

test('whatever befalls two feeders, judging is by a whole list or not at all, and ends with the latest', async () => {
  let judged = 0;
  const property = fc.asyncProperty(events, fc.nat(3), async (list, last) => {
    const world = new World(list);
    const feeders = [world.feeder(), world.feeder()];
    for (const feeder of feeders) feeder.start();
    for (let rounds = 0; rounds < 40; rounds += 1) {
      for (let turns = 0; turns < 3; turns += 1) await turn();
      if ((await world.check()) !== 'unknown') judged += 1;
      world.clock.advance(700);
    }
    // From here on nothing fails.
    world.object.cutBytes = 0;
    world.object.put(contentOf(last));
    await eventually('the latest list is in force and all know it', async () => {
      world.clock.advance(1_000);
      for (let turns = 0; turns < 10; turns += 1) await turn();
      const etags = feeders.map((feeder) => (feeder.trouble === undefined ? feeder.list?.etag : undefined));
      const isLatest = (await world.check()) === VERSIONS[last]?.join();
      return isLatest && etags.every((etag) => etag === ListObject.etagOf(contentOf(last)));
    });
    const stopped = feeders.map((feeder) => feeder.stop(1_000));
    world.clock.advance(1_000);
    await Promise.all(stopped);
    expect(await world.check()).toBe(VERSIONS[last]?.join());
  });
  await fc.assert(property, { numRuns: 40 });
  expect(judged).toBeGreaterThan(100);
});
