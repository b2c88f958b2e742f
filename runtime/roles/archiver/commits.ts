import type { Logger } from '../../logging.ts';
import type { RecordBatch } from '../../ports/event-log.ts';

/**
 * Commits offsets of one partition, one call at a time, the last one wanted next. Nothing waits for it: where a
 * partition is resumed the archive says, and the commit tells monitoring and whoever purges the log.
 */
export class Commits {
  readonly #logger: Logger;
  #batch: RecordBatch | undefined;
  #wanted: bigint | undefined;
  #running: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Commits go through the latest batch of the partition. */
  use(batch: RecordBatch): void {
    this.#batch = batch;
  }

  /** Everything before this offset is archived. */
  to(offset: bigint): void {
    this.#wanted = offset;
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is left to commit. Never rejects. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Set before this returns its promise, whatever there is to do.
    await Promise.resolve();
    for (let offset = this.#take(); offset !== undefined; offset = this.#take()) {
      try {
        await this.#batch?.commit(offset);
      } catch (error) {
        const isTaken = this.#batch?.signal.aborted === true;
        this.#logger[isTaken ? 'debug' : 'warn'](
          { err: error },
          'cannot commit; the next object does it again',
        );
      }
    }
    this.#running = undefined;
  }

  #take(): bigint | undefined {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    return wanted;
  }
}
