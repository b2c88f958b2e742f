import { once } from 'node:events';
import { getCompileCacheDir } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PortError } from '../../ports/port-error.ts';
import { messageOf } from './system-error.ts';
import { ThreadChannel } from './thread-channel.ts';
import type { ChannelLimits, Load } from './thread-channel.ts';
import type { Advance, ReadAnswers, ReadRequest, WriteAnswers, WriteRequest } from './thread-protocol.ts';

const FILE = 'data.db';
const INDEX_FILE = 'index.db';

const DEFAULT_LIMITS: ChannelLimits = {
  deadlineMs: 10_000,
  maxItems: 100_000,
  maxBytes: 64 * 1024 * 1024,
};

/** Small heaps keep the process small: packed records and SQLite's pages are not in them. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 4 };

/**
 * The SQLite database behind the embedded document store and event log: one file of data, which one thread writes,
 * and one of indexes, which another thread derives from it and reads. So neither an fsync nor a slow query stalls
 * the event loop, or the other. It belongs to one
 * process at a time (state-directory.ts sees to that).
 */
export class EmbeddedDatabase {
  readonly #writer: ThreadChannel;
  readonly #reader: ThreadChannel;
  readonly #listeners: Set<(advances: readonly Advance[]) => void>;

  private constructor(
    writer: ThreadChannel,
    reader: ThreadChannel,
    listeners: Set<(advances: readonly Advance[]) => void>,
  ) {
    this.#writer = writer;
    this.#reader = reader;
    this.#listeners = listeners;
  }

  /**
   * Opens `data.db` in a directory, or makes it. Rejects with `unavailable` when it cannot be opened.
   * @param limits deadline of a call in ms (10 s), and how much may wait (100,000 items, 64 MiB)
   */
  static async open(directory: string, limits: Partial<ChannelLimits> = {}): Promise<EmbeddedDatabase> {
    const files = { file: join(directory, FILE), indexFile: join(directory, INDEX_FILE) };
    const bounds = { ...DEFAULT_LIMITS, ...limits };
    const listeners = new Set<(advances: readonly Advance[]) => void>();
    const threads = await Promise.allSettled([
      startThread(new URL('./writer-thread.ts', import.meta.url), files),
      startThread(new URL('./reader-thread.ts', import.meta.url), files),
    ]);
    const [writer, reader] = threads;
    if (writer.status === 'fulfilled' && reader.status === 'fulfilled') {
      const tell = (advances: readonly Advance[]): void => {
        for (const listener of listeners) listener(advances);
      };
      return new EmbeddedDatabase(
        new ThreadChannel('writer', writer.value, bounds, tell),
        new ThreadChannel('reader', reader.value, bounds),
        listeners,
      );
    }
    let failure: unknown;
    for (const thread of threads) {
      if (thread.status === 'fulfilled') await thread.value.terminate();
      else failure = thread.reason;
    }
    throw failure;
  }

  /** Asks the writer; resolves when the change is durable. `call` names the call in errors. */
  write<R extends WriteRequest>(call: string, request: R, load: Load): Promise<WriteAnswers[R['op']]> {
    // What the writer thread answers is declared beside the requests, in WriteAnswers.
    return this.#writer.ask(call, request, load) as Promise<WriteAnswers[R['op']]>;
  }

  /** Asks the reader, which sees all that is durable. */
  read<R extends ReadRequest>(call: string, request: R): Promise<ReadAnswers[R['op']]> {
    // What the reader thread answers is declared beside the requests, in ReadAnswers.
    return this.#reader.ask(call, request, { items: 1, bytes: 0 }) as Promise<ReadAnswers[R['op']]>;
  }

  /** Calls back after each commit that made partitions of the log longer; returns how to end that. */
  onAdvance(listener: (advances: readonly Advance[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Finishes what was asked, then closes the file. Calls after it reject with `closed`. */
  async close(): Promise<void> {
    // The writer last: whoever closes last removes the write-ahead log, and the reader may not write.
    await this.#reader.close();
    await this.#writer.close();
  }
}

interface Files {
  readonly file: string;
  readonly indexFile: string;
}

async function startThread(script: URL, files: Files): Promise<Worker> {
  const worker = new Worker(new URL('./thread-entry.mjs', import.meta.url), {
    workerData: { ...files, script: script.href, compileCache: getCompileCacheDir() },
    resourceLimits: THREAD_LIMITS,
  });
  try {
    await once(worker, 'message');
    return worker;
  } catch (error) {
    await worker.terminate();
    throw new PortError('unavailable', 'database.open', `${files.file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
