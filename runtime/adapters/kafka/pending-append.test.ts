import { expect, test } from '@jest/globals';
import { away, invalid } from './failure.ts';
import { packRecords, type PendingAppend } from './pending-append.ts';

const three = (): PendingAppend =>
  packRecords(
    ['a', 'b', null].map((key) => ({ topic: 't', key, value: Buffer.from('value') })),
    (topic) => `prefix.${topic}`,
  );

test('resolves when all of its records are durable, and not before', async () => {
  const append = three();
  append.acknowledge(2);
  expect(append.isSettled).toBe(false);
  append.acknowledge(1);
  await append.done;
  expect(append.topics).toEqual(new Set(['prefix.t']));
});

test('is invalid when none of its records can be in the log', async () => {
  const append = three();
  append.fail(invalid('too large'));
  await expect(append.done).rejects.toMatchObject({ kind: 'invalid' });
});

test.each([
  ['some of its records are durable', (append: PendingAppend) => append.acknowledge(1)],
  ['some may be in the log', (append: PendingAppend) => append.doubt()],
])('is not called invalid when %s', async (_, happens) => {
  const append = three();
  happens(append);
  append.fail(invalid('too large'));
  await expect(append.done).rejects.toMatchObject({
    kind: 'unavailable',
    message: 'some records may be in the log: too large',
  });
});

test('is answered once', async () => {
  const append = three();
  append.fail(away('gone'));
  append.acknowledge(3);
  append.fail(invalid('late'));
  await expect(append.done).rejects.toMatchObject({ message: 'gone' });
});

test('is given up by a log that closes, unless it was begun', async () => {
  const [waiting, begun] = [three(), three()];
  begun.next = 1;
  for (const each of [waiting, begun]) each.abandon();
  await expect(waiting.done).rejects.toMatchObject({ kind: 'closed' });
  expect(begun.isSettled).toBe(false);
});
