import { describe, expect, test } from '@jest/globals';
import { CacheData } from '../../runtime/adapters/embedded/cache-data.ts';
import { EmbeddedCache } from '../../runtime/adapters/embedded/cache.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { type LoadOptions, loadFraudList } from '../../runtime/roles/feeder/load-fraud-list.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { FRAUD_SET, judge, stepped } from './judge.ts';
import { ListObject, SOURCE } from './list-object.ts';

const CLIENTS = Array.from({ length: 40 }, (_, n) => `client ${n}`);
const OLD = CLIENTS.filter((_, n) => n % 2 === 0);
/** Shares names with the old one, and is longer. */
const NEW = CLIENTS.filter((_, n) => n % 3 !== 0);
/** With some names twice: what is lost after the first time must not be made up for by the second. */
const NEW_CONTENT = [...NEW, ...NEW.slice(0, 12)].join('\n');
const ENOUGH_LOADS = 5;

/** What befalls a load at one of its steps. */
const FAULTS = ['flush', 'failOver', 'expire', 'reject'] as const;
type Fault = (typeof FAULTS)[number];

interface Place {
  readonly fault: Fault;
  readonly step: number;
  /** Whether a list is in force when the load begins. */
  readonly hasOld: boolean;
}

class Run {
  readonly clock = new ManualClock();
  readonly data = new CacheData(() => this.clock.now());
  readonly cache = new EmbeddedCache(this.data);
  readonly object = new ListObject();
  readonly seen = new Set<string>();
  steps = 0;
  readonly #place: Place | undefined;

  constructor(place?: Place) {
    this.#place = place;
    // Some names a piece, so that there are some calls to the cache.
    this.object.pieceBytes = 30;
  }

  load(options: Partial<LoadOptions> = {}): ReturnType<typeof loadFraudList> {
    const { clock, cache, object } = this;
    const stores = { objects: object.store, cache, source: SOURCE, set: FRAUD_SET };
    return loadFraudList({ ...stores, allowEmpty: false, clock, ...options });
  }

  /** A load in which the fault happens at its place, and everybody is judged at each step. */
  faulty(): ReturnType<typeof loadFraudList> {
    return this.load({ cache: stepped(this.cache, (when, call) => this.#step(when, call)) });
  }

  /** Asserts that judging is by one whole list or not at all, and remembers which. */
  async check(): Promise<void> {
    const refused = await judge(this.cache, CLIENTS);
    const verdict = refused === 'unknown' ? refused : nameOfList(refused);
    expect(['unknown', 'old', 'new']).toContain(verdict);
    this.seen.add(verdict);
  }

  async #step(when: 'before' | 'after', call: string): Promise<void> {
    await this.check();
    this.steps += 1;
    if (this.steps === this.#place?.step) this.#befall(this.#place.fault, `${when} ${call}`);
    await this.check();
  }

  #befall(fault: Fault, at: string): void {
    if (fault === 'flush') this.data.flush();
    if (fault === 'failOver') this.data.failOver();
    // What has a time to live is gone at once, as if the feeder had been stopped for long.
    if (fault === 'expire') this.clock.stall(3_600_000);
    if (fault === 'reject') throw new PortError('unavailable', 'cache', `fails ${at}`);
  }
}

function nameOfList(refused: readonly string[]): string {
  const text = refused.join();
  if (text === OLD.join()) return 'old';
  return text === NEW.join() ? 'new' : `a part: ${text}`;
}

async function start(hasOld: boolean, place?: Place): Promise<Run> {
  const run = new Run(place);
  run.object.put(OLD.join('\n'));
  if (hasOld) await run.load();
  run.object.put(NEW_CONTENT);
  return run;
}

async function countSteps(hasOld: boolean): Promise<number> {
  const run = await start(hasOld);
  await run.faulty();
  expect([...run.seen]).toEqual([hasOld ? 'old' : 'unknown', 'new']);
  return run.steps;
}

describe.each([true, false])('a load (a list is in force: %s)', (hasOld) => {
  test.each(FAULTS)('with a %s before or after any call lets nobody slip through', async (fault) => {
    const steps = await countSteps(hasOld);
    expect(steps).toBeGreaterThan(20);
    for (let step = 1; step <= steps; step += 1) {
      const run = await start(hasOld, { fault, step, hasOld });
      for (let loads = 1; loads <= ENOUGH_LOADS; loads += 1) {
        // Rejected where the fault is that: the next load heals it.
        await run.faulty().catch(() => undefined);
        await run.check();
      }
      expect({ step, refused: await judge(run.cache, CLIENTS) }).toEqual({ step, refused: NEW });
      // The list, the record of it, and nothing that was half loaded.
      run.clock.stall(3_600_000);
      await run.cache.apply([]);
      await run.cache.apply([]);
      expect({ step, keys: run.data.size }).toEqual({ step, keys: 2 });
    }
  });
});

describe('two loads at once', () => {
  test('of the same list, begun at any step of each other, put it in force', async () => {
    const steps = await countSteps(true);
    for (let step = 1; step <= steps; step += 1) {
      const run = await start(true);
      let second: Promise<unknown> | undefined;
      const cache = stepped(run.cache, async () => {
        await run.check();
        run.steps += 1;
        if (run.steps === step) second = run.load();
      });
      await Promise.all([run.load({ cache }), second]);
      await second;
      expect({ step, refused: await judge(run.cache, CLIENTS) }).toEqual({ step, refused: NEW });
      expect({ step, keys: run.data.size }).toEqual({ step, keys: 2 });
    }
  });

  test('never let an older list replace a newer one, wherever the slow one is overtaken', async () => {
    const steps = await countSteps(true);
    for (let step = 1; step <= steps; step += 1) {
      const run = new Run();
      run.object.put(OLD.join('\n'));
      const slow = stepped(run.cache, async () => {
        run.steps += 1;
        if (run.steps !== step) return;
        run.object.put(NEW_CONTENT);
        await run.load();
        run.seen.clear();
      });
      const checked = stepped(slow, () => run.check());
      await run.load({ cache: checked });
      await run.check();
      if (run.steps >= step) expect({ step, seen: [...run.seen] }).toEqual({ step, seen: ['new'] });
    }
  });
});
