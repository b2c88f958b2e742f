import type { Readable } from 'node:stream';
import { PortError } from '../../ports/port-error.ts';

export interface ObjectBodyOptions {
  /** For errors, such as `object-store.get`. */
  readonly call: string;
  readonly endpoint: string;
  /** How long the store may be silent while it is read, in ms. */
  readonly stallMs: number;
  /** How long content may stay unread before its connection is closed, in ms. */
  readonly unreadMs: number;
}

const PIECE = 64 * 1024;

/**
 * The content of an object as it arrives, to be read once. It holds a connection until it is read to its end, left, or
 * unread for too long. Rejects with a PortError when the store falls silent or the connection breaks.
 */
export class ObjectBody implements AsyncIterable<Uint8Array> {
  readonly #stream: Readable;
  readonly #options: ObjectBodyOptions;
  #unread: NodeJS.Timeout | undefined;
  #isForgotten = false;

  constructor(stream: Readable, options: ObjectBodyOptions) {
    this.#stream = stream;
    this.#options = options;
    // A connection that breaks while nobody reads is told to who reads next.
    stream.on('error', () => {});
    stream.once('close', () => clearTimeout(this.#unread));
    this.#waitForReader();
  }

  /** Closes the connection: nobody will read it. */
  leave(): void {
    this.#stream.destroy();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const iterator = this.#stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    try {
      for (;;) {
        const next = await this.#next(iterator);
        if (next.done === true) return;
        this.#waitForReader();
        for (let at = 0; at < next.value.byteLength; at += PIECE) yield next.value.subarray(at, at + PIECE);
      }
    } finally {
      clearTimeout(this.#unread);
      this.#stream.destroy();
    }
  }

  async #next(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    const { call, endpoint, stallMs, unreadMs } = this.#options;
    clearTimeout(this.#unread);
    if (this.#isForgotten) {
      throw new PortError(
        'timeout',
        call,
        `the content was left unread for ${unreadMs} ms, and has been given up`,
      );
    }
    const { promise: stalled, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new PortError('timeout', call, `${endpoint} sent nothing of the content for ${stallMs} ms`));
    }, stallMs);
    try {
      return await Promise.race([iterator.next(), stalled]);
    } catch (error) {
      if (error instanceof PortError) throw error;
      throw new PortError('unavailable', call, `the connection to ${endpoint} broke while content was read`);
    } finally {
      clearTimeout(timer);
    }
  }

  #waitForReader(): void {
    if (this.#stream.destroyed) return;
    this.#unread = setTimeout(() => {
      this.#isForgotten = true;
      this.#stream.destroy();
    }, this.#options.unreadMs).unref();
  }
}
