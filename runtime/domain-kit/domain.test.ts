import { describe, expect, test } from '@jest/globals';
import { type BatchHandler, type EncodedCall, serve, serveWrite, type WriteHandler } from './domain.ts';
import { type Codec, readOperation, writeOperation } from './operation.ts';
import { failed } from './outcome.ts';

/** Texts in UTF-8; bytes that begin with 0xff are no text. */
const text: Codec<string> = {
  encode: (message) => ({ finish: () => new TextEncoder().encode(message) }),
  decode: (input) => {
    if (input[0] === 0xff) throw new Error('no text');
    return new TextDecoder().decode(input);
  },
};

const shout = readOperation({ name: 'test.shout', request: text, response: text });
const GARBAGE = new Uint8Array([0xff]);

function call(request: string | Uint8Array): EncodedCall {
  const bytes = typeof request === 'string' ? new TextEncoder().encode(request) : request;
  return { request: bytes, eventId: 'id', bodyHash: 'hash' };
}

function textOf(outcome: object | undefined): string | undefined {
  if (outcome === undefined || !('response' in outcome)) return undefined;
  return new TextDecoder().decode(outcome.response as Uint8Array);
}

describe('a served operation', () => {
  const seen: string[][] = [];
  const upper: BatchHandler<string, string> = (calls) => {
    seen.push(calls.map(({ request }) => request));
    return Promise.resolve(
      calls.map(({ request }) => ({ verdict: 'ANSWERED', response: request.toUpperCase() })),
    );
  };

  test('gets what decodes; what does not decode fails by itself, at its place', async () => {
    seen.length = 0;
    const calls = [call(GARBAGE), call('a'), call(GARBAGE), call('b'), call('c'), call(GARBAGE)];
    const outcomes = await serve(shout, upper).handle(calls);
    const undecodable = expect.objectContaining({
      verdict: 'FAILED',
      cause: 'INVALID_REQUEST',
      attempted: false,
    });
    expect(outcomes.filter((_, index) => [0, 2, 5].includes(index))).toEqual([
      undecodable,
      undecodable,
      undecodable,
    ]);
    expect(outcomes.map(textOf)).toEqual([undefined, 'A', undefined, 'B', 'C', undefined]);
    expect(seen).toEqual([['a', 'b', 'c']]);
  });

  test('is not asked where nothing decodes', async () => {
    seen.length = 0;
    expect(await serve(shout, upper).handle([call(GARBAGE)])).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  test('passes on the id and the hash, and outcomes without an answer', async () => {
    const given: unknown[] = [];
    const handler: BatchHandler<string, string> = (calls) => {
      given.push(...calls);
      return Promise.resolve([{ verdict: 'KEY_REUSED' }, failed('STORE_UNAVAILABLE', 'away', true)]);
    };
    expect(await serve(shout, handler).handle([call('a'), call('b')])).toEqual([
      { verdict: 'KEY_REUSED' },
      failed('STORE_UNAVAILABLE', 'away', true),
    ]);
    expect(given).toEqual(['a', 'b'].map((request) => ({ request, eventId: 'id', bodyHash: 'hash' })));
  });

  test('never carries out a discard that its handler does not know of', async () => {
    seen.length = 0;
    const discard = { ...call('b'), discard: true };
    const outcomes = await serve(shout, upper).handle([call('a'), discard, call('c')]);
    expect(outcomes.map(textOf)).toEqual(['A', undefined, 'C']);
    expect(outcomes[1]).toMatchObject({ verdict: 'FAILED', cause: 'INVALID_REQUEST', attempted: false });
    expect(seen).toEqual([['a', 'c']]);
  });

  test('gives discards to a handler that takes them, without their request', async () => {
    const given: unknown[] = [];
    const handler: WriteHandler<string, string> = (calls) => {
      given.push(...calls);
      return Promise.resolve(calls.map(() => ({ verdict: 'DISCARDED' })));
    };
    const discard = { ...call(GARBAGE), discard: true };
    expect(await serveWrite(shout, handler).handle([discard, call('a')])).toHaveLength(2);
    expect(given).toEqual([
      { discard: true, eventId: 'id', bodyHash: 'hash' },
      { request: 'a', eventId: 'id', bodyHash: 'hash' },
    ]);
  });

  test.each([0, 1, 3])('rejects %i outcomes for two calls', async (count) => {
    const handler: BatchHandler<string, string> = () =>
      Promise.resolve(Array.from({ length: count }, () => ({ verdict: 'KEY_REUSED' as const })));
    await expect(serve(shout, handler).handle([call('a'), call('b')])).rejects.toThrow(
      `test.shout: ${count} outcomes for 2 calls`,
    );
  });

  test('rejects with its handler', async () => {
    const handler: BatchHandler<string, string> = () => Promise.reject(new Error('a defect'));
    await expect(serve(shout, handler).handle([call('a')])).rejects.toThrow('a defect');
  });

  test('has bounds, by default and as asked for', () => {
    expect(serve(shout, upper)).toMatchObject({ maxBatch: 256, concurrency: 2 });
    expect(serve(shout, upper, { maxBatch: 1, concurrency: 8 })).toMatchObject({
      maxBatch: 1,
      concurrency: 8,
    });
  });
});

describe('an operation', () => {
  test('that reads is never parked', () => {
    expect(shout).toMatchObject({ kind: 'read', parked: false, timeoutMs: 5_000 });
  });

  test('that writes says whether it is parked, and how long it may take', () => {
    const write = writeOperation({ name: 'w', request: text, response: text, parked: true, timeoutMs: 100 });
    expect(write).toMatchObject({ kind: 'write', parked: true, timeoutMs: 100 });
  });
});
