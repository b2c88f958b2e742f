import { CommandError } from '../command-error.ts';

/** Characters that are written at a time. */
const CHUNK = 64 * 1024;

/** Standard output for what may be long: it waits for the reader, and ends quietly when the reader has enough. */
export class Output {
  readonly #stream: NodeJS.WritableStream;
  #chunk = '';
  #isClosed = false;
  #failure: Error | undefined;
  #wake = (): void => {};

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    stream.on('drain', () => this.#wake());
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#isClosed = true;
      if (error.code !== 'EPIPE') this.#failure = error;
      this.#wake();
    });
  }

  /** Whether nobody reads any more, as behind `| head`. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Writes a line, sooner or later. Throws a CommandError when what was written before could not be. */
  async line(text: string): Promise<void> {
    this.#chunk += `${text}\n`;
    if (this.#chunk.length >= CHUNK) await this.flush();
  }

  /** Writes what is left. */
  async flush(): Promise<void> {
    const chunk = this.#chunk;
    this.#chunk = '';
    if (chunk === '' || this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      // An error may come later than the answer, so the next turn is waited for.
      if (this.#stream.write(chunk)) setImmediate(resolve);
    });
    if (this.#failure !== undefined) {
      throw new CommandError(`Standard output cannot be written: ${this.#failure.message}`, 1, {
        cause: this.#failure,
      });
    }
  }
}
