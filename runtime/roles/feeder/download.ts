import type { Clock } from '../../clock.ts';
import type { ObjectContent } from '../../ports/object-store.ts';

/** The content of an object did not arrive as the store announced it. */
export class BrokenDownload extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BrokenDownload';
  }
}

export interface DownloadOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Bytes: what is worked on before the next piece is asked for. */
const PIECE = 64 * 1024;
/** How long the store may be silent, in ms. */
const SILENCE_MS = 30_000;

/**
 * The content of an object, in small pieces, each read when the one before has been worked on. Throws
 * BrokenDownload when the store falls silent, or when more or less arrives than the object's size; when the
 * signal aborts, what it aborts with.
 */
export async function* download(
  { body, size }: ObjectContent,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  let received = 0;
  try {
    for (;;) {
      const next = await inTime(() => iterator.next(), options);
      if (next.done === true) break;
      received += next.value.byteLength;
      if (received > size) throw new BrokenDownload(`more than the ${size} bytes of the object arrived`);
      for (let at = 0; at < next.value.byteLength; at += PIECE) yield next.value.subarray(at, at + PIECE);
    }
  } finally {
    // Not waited for: a store that is silent does not answer to this either.
    Promise.resolve(iterator.return?.()).catch(() => {});
  }
  if (received < size)
    throw new BrokenDownload(`only ${received} of the ${size} bytes of the object arrived`);
}

async function inTime<T>(call: () => Promise<T>, { clock, signal }: DownloadOptions): Promise<T> {
  signal.throwIfAborted();
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  const cancel = clock.after(SILENCE_MS, () =>
    reject(new BrokenDownload(`nothing arrived for ${SILENCE_MS / 1000} s`)),
  );
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([call(), givenUp]);
  } finally {
    cancel();
    signal.removeEventListener('abort', abort);
  }
}
