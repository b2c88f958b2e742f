import { expect, test } from '@jest/globals';
import { Deadline, retrying } from './deadline.ts';
import { away, invalid } from './failure.ts';

const open = (): AbortSignal => new AbortController().signal;

test('a call that is not answered in time is late', async () => {
  const deadline = new Deadline(5, open());
  await expect(deadline.race(new Promise(() => {}), 'the call')).rejects.toMatchObject({ kind: 'timeout' });
  expect(deadline.leftMs).toBe(0);
});

test('a call whose caller is gone is closed', async () => {
  const closing = new AbortController();
  const deadline = new Deadline(60_000, closing.signal);
  const call = deadline.race(new Promise(() => {}), 'the call');
  closing.abort();
  await expect(call).rejects.toMatchObject({ kind: 'closed' });
  expect(deadline.leftMs).toBe(0);
  await expect(deadline.race(Promise.resolve(1), 'another')).rejects.toMatchObject({ kind: 'closed' });
});

test('an outcome in time is passed on', async () => {
  const deadline = new Deadline(60_000, open());
  expect(await deadline.race(Promise.resolve(7), 'the call')).toBe(7);
  await expect(deadline.race(Promise.reject(invalid('no')), 'the call')).rejects.toMatchObject({
    kind: 'invalid',
  });
});

test('what may pass is tried again, until it works', async () => {
  let tries = 0;
  const flaky = (): Promise<number> => {
    tries += 1;
    return tries < 3 ? Promise.reject(away('not yet')) : Promise.resolve(tries);
  };
  expect(await retrying(new Deadline(60_000, open()), flaky)).toBe(3);
});

test('what does not pass, what is over, and what is hopeless is not tried again', async () => {
  let tries = 0;
  const failing = (error: Error) => (): Promise<never> => {
    tries += 1;
    return Promise.reject(error);
  };
  await expect(retrying(new Deadline(60_000, open()), failing(invalid('no')))).rejects.toThrow('no');
  await expect(retrying(new Deadline(0, open()), failing(away('late')))).rejects.toThrow('late');
  const hopeless = retrying(new Deadline(60_000, open()), failing(away('away')), () => true);
  await expect(hopeless).rejects.toThrow('away');
  expect(tries).toBe(3);
});
