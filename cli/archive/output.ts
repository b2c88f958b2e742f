import { once } from 'node:events';

/** Characters that are written at a time. */
const CHUNK = 64 * 1024;

/** A stream for lines, of which there may be many: they are written in chunks, and no faster than they are read. */
export class Output {
  readonly #stream: NodeJS.WritableStream;
  #chunk = '';

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  /** Writes a line, sooner or later. */
  async line(text: string): Promise<void> {
    this.#chunk += `${text}\n`;
    if (this.#chunk.length >= CHUNK) await this.flush();
  }

  /** Writes what is left. */
  async flush(): Promise<void> {
    const chunk = this.#chunk;
    this.#chunk = '';
    if (chunk !== '' && !this.#stream.write(chunk)) await once(this.#stream, 'drain');
  }
}
