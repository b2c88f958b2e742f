import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { turn } from '../../test/helpers/eventually.ts';
import { Outbox } from './outbox.ts';

let batches: (readonly string[])[];
let takesMore: boolean;
let outbox: Outbox<string>;

beforeEach(() => {
  batches = [];
  takesMore = true;
  outbox = outboxOf(3, 100);
});

function outboxOf(maxItems: number, maxBytes: number): Outbox<string> {
  return new Outbox({
    write: (batch) => {
      batches.push(batch);
      return takesMore;
    },
    maxItems,
    maxBytes,
    flush: 'turn',
  });
}

describe('an outbox', () => {
  test('writes what is pushed in one turn as one batch, at the end of the turn', async () => {
    outbox.push('a', 1);
    outbox.push('b', 1);
    expect(batches).toEqual([]);
    await turn();
    expect(batches).toEqual([['a', 'b']]);
    outbox.push('c', 1);
    await turn();
    expect(batches).toEqual([['a', 'b'], ['c']]);
  });

  test('keeps a batch within its number of items', async () => {
    for (const item of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) outbox.push(item, 1);
    await turn();
    expect(batches).toEqual([['a', 'b', 'c'], ['d', 'e', 'f'], ['g']]);
  });

  test('keeps a batch within its bytes; a larger item travels alone', async () => {
    outbox.push('a', 60);
    outbox.push('b', 40);
    outbox.push('c', 1);
    outbox.push('huge', 1_000);
    outbox.push('d', 1);
    await turn();
    expect(batches).toEqual([['a', 'b'], ['c'], ['huge'], ['d']]);
  });

  test('stops when the stream is full, gathers, and goes on when it drains', async () => {
    takesMore = false;
    for (const item of ['a', 'b', 'c', 'd']) outbox.push(item, 1);
    await turn();
    expect(batches).toEqual([['a', 'b', 'c']]);
    outbox.push('e', 1);
    await turn();
    expect(batches).toHaveLength(1);
    takesMore = true;
    outbox.drained();
    expect(batches).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
    outbox.push('f', 1);
    await turn();
    expect(batches.at(-1)).toEqual(['f']);
  });

  test('writes at once when it is flushed', () => {
    outbox.push('a', 1);
    outbox.flush();
    expect(batches).toEqual([['a']]);
  });

  test('drops what is left and what follows when it is closed', async () => {
    outbox.push('a', 1);
    outbox.close();
    outbox.push('b', 1);
    await turn();
    outbox.flush();
    outbox.drained();
    expect(batches).toEqual([]);
  });

  test('writes no further batch when a write closes it', async () => {
    const closing: Outbox<string> = new Outbox<string>({
      write: (batch) => {
        batches.push(batch);
        closing.close();
        return true;
      },
      maxItems: 1,
      flush: 'turn',
      maxBytes: 100,
    });
    closing.push('a', 1);
    closing.push('b', 1);
    await turn();
    expect(batches).toEqual([['a']]);
  });

  test('loses nothing, keeps the order and its bounds, whatever is pushed', async () => {
    const items = fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 9 }), async (sizes, maxItems) => {
        batches = [];
        const any = outboxOf(maxItems, 100);
        sizes.forEach((bytes, index) => any.push(`${index}:${bytes}`, bytes));
        await turn();
        expect(batches.flat()).toEqual(sizes.map((bytes, index) => `${index}:${bytes}`));
        for (const batch of batches) {
          const bytes = batch.reduce((sum, item) => sum + Number(item.split(':')[1]), 0);
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(maxItems);
          expect(batch.length === 1 || bytes <= 100).toBe(true);
        }
      }),
    );
  });
});
