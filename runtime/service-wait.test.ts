import { beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { turn } from '../test/helpers/eventually.ts';
import { ManualClock } from '../test/helpers/manual-clock.ts';
import { PortError } from './ports/port-error.ts';
import { ServiceWait, STORE_TITLES } from './service-wait.ts';

let clock: ManualClock;
let lines: string[];
let begun: number;
let wait: ServiceWait;

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  begun = 0;
  wait = new ServiceWait({
    clock,
    logger: pino({}, { write: (line) => lines.push(line) }),
    titles: { ...STORE_TITLES, cache: 'the cache (Redis at r:6379)' },
    pauses: { initialMs: 100, maxMs: 400 },
    onWaiting: () => (begun += 1),
  });
});

const away = (message = 'no route'): PortError => new PortError('unavailable', 'cache.check', message);

/** Work that fails as often as there are errors, and then succeeds. */
function failing(...errors: readonly Error[]): {
  readonly work: () => Promise<string>;
  readonly tries: () => number;
} {
  const left = [...errors];
  let tries = 0;
  const work = (): Promise<string> => {
    tries += 1;
    const error = left.shift();
    return error === undefined ? Promise.resolve('done') : Promise.reject(error);
  };
  return { work, tries: () => tries };
}

test('what succeeds at once waits for nothing', async () => {
  expect(await wait.for('cache', failing().work)).toBe('done');
  expect(wait.reason).toBeUndefined();
  expect({ begun, lines: lines.length, timers: clock.timers }).toEqual({ begun: 0, lines: 0, timers: 0 });
});

test('what is away is tried again, with growing pauses, and the reason says why', async () => {
  const { work, tries } = failing(away(), new PortError('timeout', 'cache.check', 'silence'), away('still'));
  const done = wait.for('cache', work);
  await turn();
  expect(wait.reason).toBe('waits for the cache (Redis at r:6379): cache.check: no route');
  clock.advance(100);
  await turn();
  expect(wait.reason).toBe('waits for the cache (Redis at r:6379): cache.check: silence');
  clock.advance(200);
  await turn();
  clock.advance(400);
  expect(await done).toBe('done');
  expect(wait.reason).toBeUndefined();
  expect({ tries: tries(), begun, lines: lines.length }).toEqual({ tries: 4, begun: 1, lines: 1 });
});

test.each([
  new PortError('refused', 'cache.check', 'wrong password'),
  new PortError('invalid', 'event-log.ensureTopics', 'fewer partitions'),
  new PortError('closed', 'cache.check', 'closed'),
  new TypeError('a defect'),
])('what waiting does not mend is passed on: %s', async (error) => {
  const done = wait.for('cache', failing(away(), error).work);
  // Told when it happens, whoever listens then.
  done.catch(() => {});
  await turn();
  clock.advance(100);
  await expect(done).rejects.toBe(error);
  expect(wait.reason).toBeUndefined();
});

test('several stores are waited for at once, and one that refuses is told of while another one is away', async () => {
  const refused = new PortError('refused', 'event-log.ensureTopics', 'no permission');
  const all = wait.forAll({ cache: failing(away(), away()).work, log: failing(refused).work });
  await expect(all).rejects.toBe(refused);
  expect(wait.reason).toBe('waits for the cache (Redis at r:6379): cache.check: no route');
});

test('nothing is tried any more when it is over', async () => {
  const { work, tries } = failing(away(), away());
  const done = wait.for('cache', work);
  await turn();
  wait.end();
  expect(await done).toBeUndefined();
  expect({ tries: tries(), timers: clock.timers, isOver: wait.isOver }).toEqual({
    tries: 1,
    timers: 0,
    isOver: true,
  });
  expect(await wait.for('cache', work)).toBeUndefined();
  expect(tries()).toBe(1);
});
