import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** Characters of one line at most: many times what a log takes for one record. */
const MAX_LINE = 64 * 1024 * 1024;

/** Why the content of an object cannot be read to its end. */
export class UnreadableObject extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnreadableObject';
  }
}

/**
 * The lines of an archived object, unpacked piece by piece. Throws an UnreadableObject where the bytes are no gzip
 * (its own checksum included), no UTF-8 or no lines; errors of the store pass as they are.
 */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let failure: Error | undefined;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error), { cause: error });
      throw failure;
    }
  }
  const gunzip = createGunzip();
  // Whatever fails destroys the gunzip, which is where it is met.
  const piped = pipeline(Readable.from(pieces(), { objectMode: false }), gunzip).catch(() => {});
  try {
    yield* split(gunzip);
  } catch (error) {
    throw failure ?? unreadable(error);
  } finally {
    gunzip.destroy();
    await piped;
  }
}

async function* split(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) throw new Error(`a line has more than ${MAX_LINE} characters`);
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

function unreadable(error: unknown): UnreadableObject {
  // By its property: an error of the system is one of another realm under jest.
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  return new UnreadableObject(hasMessage ? String(error.message) : String(error), { cause: error });
}
