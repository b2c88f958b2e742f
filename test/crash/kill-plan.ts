import type { CrashOrder, FaultOrder } from './child/orders.ts';
import { CRASH_POINTS, type CrashPointSpec } from './crash-points.ts';
import type { Random } from './random.ts';

/** How a platform process is killed. */
export type Kill =
  /** From outside, when the clients have got so many answers. */
  | { readonly kind: 'random'; readonly afterAnswers: number }
  /** From outside, so long after it was started. */
  | { readonly kind: 'starting'; readonly afterMs: number }
  /** From outside, so long after it was told to drain, which it was when the clients had so many answers. */
  | { readonly kind: 'stopping'; readonly afterAnswers: number; readonly afterMs: number }
  /** By itself, at a call of a port. */
  | { readonly kind: 'point'; readonly order: CrashOrder; readonly during: CrashPointSpec['during'] };

/** One life of the platform: how it runs and how it ends. */
export interface Life {
  /** From 1. */
  readonly number: number;
  readonly composed: boolean;
  /** Whether all clients come back at the very moment at which it is ready. */
  readonly rush: boolean;
  readonly faults: readonly FaultOrder[];
  readonly kill: Kill;
}

const MAX_ANSWERS = 150;
const MAX_START_MS = 1_200;
/** Share of the lives with composed stores: each leaves something to publish to those who come after. */
const COMPOSED_SHARE = 0.25;
const RUSH_SHARE = 0.3;
const MAX_STOP_MS = 100;
const MAX_DURING_MS = 3;

/** How many kills it takes to have every crash point once: one in three is a random one. */
export const KILLS_FOR_ALL_POINTS = Math.ceil(
  CRASH_POINTS.reduce((sum, { moments }) => sum + moments.length, 0) * 1.5,
);

/** The lives of a run, one after the other, without end; they follow from the random source alone. */
export function* planLives(random: Random): Generator<Life, never> {
  const points = dealPoints(random);
  for (let number = 1; ; number += 1) {
    const own = random.fork(`life ${number}`);
    yield number % 3 === 0 ? randomLife(own, number) : pointLife(own, number, points.next().value);
  }
}

/** How the lives at the end run, in which nobody is killed. */
export function lastIsComposed(random: Random): boolean {
  return random.fork('last life').chance(0.5);
}

interface Point {
  readonly spec: CrashPointSpec;
  readonly moment: CrashOrder['moment'];
}

/** Every crash point once in each round, in another order each time, the essential ones first. */
function* dealPoints(random: Random): Generator<Point, never> {
  const all = CRASH_POINTS.flatMap((spec) => spec.moments.map((moment) => ({ spec, moment })));
  for (let round = 1; ; round += 1) {
    const shuffled = random.fork(`round ${round}`).shuffled(all);
    yield* shuffled.filter(({ spec }) => spec.essential);
    yield* shuffled.filter(({ spec }) => !spec.essential);
  }
}

function randomLife(random: Random, number: number): Life {
  const afterAnswers = random.integer(1, MAX_ANSWERS);
  const kind = random.weighted({ random: 6, starting: 2, stopping: 2 });
  const composed = random.chance(COMPOSED_SHARE);
  const life = { number, composed, rush: random.chance(RUSH_SHARE), faults: drawFaults(random) };
  switch (kind) {
    case 'random':
      return { ...life, kill: { kind, afterAnswers } };
    case 'starting':
      return { ...life, kill: { kind, afterMs: random.integer(1, MAX_START_MS) } };
    case 'stopping':
      return { ...life, kill: { kind, afterAnswers, afterMs: random.integer(0, MAX_STOP_MS) } };
  }
}

function pointLife(random: Random, number: number, { spec, moment }: Point): Life {
  const nth = random.integer(1, spec.maxNth);
  const order = { call: spec.call, moment, nth, delayMs: random.integer(0, MAX_DURING_MS) };
  const composed = spec.stores === 'either' ? random.chance(COMPOSED_SHARE) : spec.stores === 'composed';
  const faults = spec.parks ? parkingFaults(composed) : drawFaults(random);
  return {
    number,
    composed,
    rush: random.chance(RUSH_SHARE),
    faults,
    kill: { kind: 'point', order, during: spec.during },
  };
}

/** So many batches fail that both tries of some writes do. */
function parkingFaults(composed: boolean): readonly FaultOrder[] {
  const call = composed ? 'document-store.insertMany' : 'event-store.insertAndAppend';
  return [{ call, every: 6, burst: 4, effect: 'none' }];
}

const FAULTY_CALLS = [
  'event-store.insertAndAppend',
  'document-store.insertMany',
  'event-log.append long_term_storage',
  'document-store.findByIds',
  'cache.contains fraud',
  'cache.apply interactions',
] as const;

/** In some lives a service is away now and then, so that answers other than 201 come up and writes are parked. */
function drawFaults(random: Random): readonly FaultOrder[] {
  if (!random.chance(0.35)) return [];
  const every = random.integer(6, 24);
  const burst = random.integer(1, Math.floor(every / 2));
  return [{ call: random.pick(FAULTY_CALLS), every, burst, effect: random.pick(['none', 'done'] as const) }];
}
