import { describe, expect, test } from '@jest/globals';
import { eventually, within } from '../../../test/helpers/eventually.ts';
import { ManualClock } from '../../../test/helpers/manual-clock.ts';
import type { ObjectContent } from '../../ports/object-store.ts';
import { BrokenDownload, download } from './download.ts';

const object = (body: AsyncIterable<Uint8Array>, size: number): ObjectContent => ({
  key: 'key',
  etag: 'etag',
  size,
  modifiedAt: 0,
  metadata: {},
  body,
});

async function* pieces(...sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (const size of sizes) yield Buffer.alloc(size, 'x');
}

const never = new AbortController().signal;

async function received(
  content: ObjectContent,
  { clock = new ManualClock(), signal = never } = {},
): Promise<readonly number[]> {
  const sizes: number[] = [];
  for await (const piece of download(content, { clock, signal })) sizes.push(piece.byteLength);
  return sizes;
}

describe('a download', () => {
  test('comes in small pieces', async () => {
    expect(await received(object(pieces(10, 0, 150_000, 1), 150_011))).toEqual([
      10, 65_536, 65_536, 18_928, 1,
    ]);
    expect(await received(object(pieces(), 0))).toEqual([]);
  });

  test('is broken when its content ends early', async () => {
    await expect(received(object(pieces(10, 5), 16))).rejects.toThrow(
      new BrokenDownload('only 15 of the 16 bytes of the object arrived'),
    );
  });

  test('is broken as soon as there is more than the object', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield* pieces(10);
    }
    await expect(received(object(endless(), 25))).rejects.toThrow(
      new BrokenDownload('more than the 25 bytes of the object arrived'),
    );
  });

  test('fails as its content does', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* pieces(10);
      throw new Error('connection reset');
    }
    await expect(received(object(failing(), 20))).rejects.toThrow('connection reset');
  });

  describe('from a store that falls silent', () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield* pieces(10);
      await new Promise(() => {});
    }

    test('is broken after a while', async () => {
      const clock = new ManualClock();
      const content = download(object(silent(), 20), { clock, signal: never });
      await content.next();
      const next = content.next();
      clock.advance(29_999);
      expect(clock.timers).toBe(1);
      clock.advance(1);
      await expect(within('the end', next)).rejects.toThrow(new BrokenDownload('nothing arrived for 30 s'));
    });

    test('ends when it is aborted', async () => {
      const stop = new AbortController();
      const clock = new ManualClock();
      const result = received(object(silent(), 20), { clock, signal: stop.signal });
      stop.abort(new Error('stopped'));
      await expect(within('the end', result)).rejects.toThrow('stopped');
      expect(clock.timers).toBe(0);
      await expect(received(object(silent(), 20), { signal: stop.signal })).rejects.toThrow('stopped');
    });
  });

  test('that is left early ends the content', async () => {
    let ended = false;
    async function* content(): AsyncGenerator<Uint8Array> {
      try {
        yield* pieces(10, 10);
      } finally {
        ended = true;
      }
    }
    const left = download(object(content(), 20), { clock: new ManualClock(), signal: never });
    await left.next();
    await left.return(undefined);
    await eventually('the content is ended', () => ended);
  });
});
