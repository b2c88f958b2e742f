import type { Worker } from 'node:worker_threads';
import { PortError } from '../../ports/port-error.ts';
import { messageOf } from './system-error.ts';
import type { Advance, ThreadMessage, ThreadReply } from './thread-protocol.ts';

/** Bounds of a channel. */
export interface ChannelLimits {
  /** A call that has no answer after this many ms rejects with `timeout`. */
  readonly deadlineMs: number;
  /** Documents and records that may wait at once. */
  readonly maxItems: number;
  /** Bytes that may wait at once. */
  readonly maxBytes: number;
}

/** What one request weighs in the queue, and what goes with it. */
export interface Load {
  readonly items: number;
  readonly bytes: number;
  /** Appended to the message's payload; the request says how long it is. */
  readonly payload?: Uint8Array;
  /** In place of the channel's own, for what may take long (filling an index). */
  readonly deadlineMs?: number;
}

interface Pending {
  readonly call: string;
  readonly request: unknown;
  readonly load: Load;
  readonly expiresAt: number;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: PortError) => void;
}

/** A thread's heap is small: more than this waits for the next message. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Expired calls are looked for this many times per deadline. */
const SWEEPS_PER_DEADLINE = 20;

/**
 * The main thread's end of a database thread. What is asked in one callback leaves as one message.
 * Messages gather in the thread, which takes all that have come while it worked: so it never waits for the main
 * thread to send the next ones. Every call is bounded in time, what is under way in count and bytes, and the
 * death of the thread fails all calls.
 */
export class ThreadChannel {
  readonly #name: string;
  readonly #worker: Worker;
  readonly #limits: ChannelLimits;
  readonly #onAdvance: (advances: readonly Advance[]) => void;
  readonly #sweeper: NodeJS.Timeout;
  readonly #gone: Promise<void>;
  #waiting: Pending[] = [];
  /** Messages that are under way, in the order in which their replies come. */
  readonly #sent: (readonly Pending[])[] = [];
  #items = 0;
  #bytes = 0;
  #flushing = false;
  #end: 'closed' | { readonly died: string } | undefined;
  #idle: (() => void) | undefined;

  constructor(
    name: string,
    worker: Worker,
    limits: ChannelLimits,
    onAdvance: (advances: readonly Advance[]) => void = () => {},
  ) {
    this.#name = name;
    this.#worker = worker;
    this.#limits = limits;
    this.#onAdvance = onAdvance;
    this.#gone = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#die(`it ended with code ${code}`);
        resolve();
      });
    });
    worker.on('message', (replies: readonly ThreadReply[]) => this.#settleAll(replies));
    worker.on('messageerror', (error) => this.#die(messageOf(error)));
    worker.on('error', (error) => this.#die(messageOf(error)));
    this.#sweeper = setInterval(() => this.#sweep(), Math.ceil(limits.deadlineMs / SWEEPS_PER_DEADLINE));
    this.#sweeper.unref();
  }

  /** Asks the thread; rejects with a PortError in the name of `call`. */
  ask(call: string, request: unknown, load: Load): Promise<unknown> {
    const refusal = this.#refusal(call, load);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#items += load.items;
    this.#bytes += load.bytes;
    return new Promise((resolve, reject) => {
      const expiresAt = performance.now() + (load.deadlineMs ?? this.#limits.deadlineMs);
      this.#waiting.push({ call, request, load, expiresAt, resolve, reject });
      this.#flushSoon();
    });
  }

  /** Refuses new calls, waits for those under way, and ends the thread, by force after a deadline. */
  async close(): Promise<void> {
    if (this.#end === undefined) {
      this.#end = 'closed';
      const stuck = setTimeout(() => void this.#worker.terminate(), this.#limits.deadlineMs);
      if (this.#items > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
      this.#worker.postMessage(null);
      await this.#gone;
      clearTimeout(stuck);
    }
    await this.#gone;
  }

  #refusal(call: string, load: Load): PortError | undefined {
    if (this.#end === 'closed') return new PortError('closed', call, 'the database has been closed');
    if (this.#end !== undefined) return new PortError('unavailable', call, this.#end.died);
    const { maxItems, maxBytes } = this.#limits;
    if (load.items > maxItems || load.bytes > maxBytes) {
      return new PortError('invalid', call, `at most ${maxItems} items and ${maxBytes} bytes in one call`);
    }
    if (this.#items + load.items > maxItems || this.#bytes + load.bytes > maxBytes) {
      const full = `the queue of the ${this.#name} is full (${this.#items} items, ${this.#bytes} bytes wait)`;
      return new PortError('unavailable', call, full);
    }
    return undefined;
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0) this.#send(this.#takeBatch());
  }

  #send(batch: readonly Pending[]): void {
    this.#sent.push(batch);
    const requests = batch.map(({ request }) => request);
    const payload = joinPayloads(batch);
    const message: ThreadMessage<unknown> = payload === undefined ? { requests } : { requests, payload };
    this.#worker.postMessage(message, payload === undefined ? [] : [payload]);
  }

  #takeBatch(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { load } of this.#waiting) {
      bytes += load.bytes;
      if (count > 0 && bytes > MAX_MESSAGE_BYTES) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  #settleAll(replies: readonly ThreadReply[]): void {
    for (const reply of replies) this.#settle(reply, this.#sent.shift() ?? []);
  }

  #settle(reply: ThreadReply, batch: readonly Pending[]): void {
    // Consumers are told first: an append that has resolved is then known to every one of them.
    if (reply.advanced.length > 0) this.#onAdvance(reply.advanced);
    for (const { place, kind, message } of reply.failures) {
      const pending = batch[place];
      pending?.reject(new PortError(kind, pending.call, message));
    }
    batch.forEach((pending, place) => pending.resolve(reply.answers[place]));
    this.#release(batch);
  }

  #release(batch: readonly Pending[]): void {
    for (const { load } of batch) {
      this.#items -= load.items;
      this.#bytes -= load.bytes;
    }
    if (this.#items === 0) this.#idle?.();
  }

  /** What was sent still weighs until its answer comes, so a slow disk cannot make the queue grow. */
  #sweep(): void {
    const now = performance.now();
    for (const pending of this.#sent.flat()) {
      if (pending.expiresAt > now) continue;
      pending.reject(new PortError('timeout', pending.call, `no answer from the ${this.#name} in time`));
    }
  }

  #die(reason: string): void {
    clearInterval(this.#sweeper);
    const died = `the ${this.#name} thread died: ${reason}`;
    this.#end ??= { died };
    const lost = [...this.#sent.splice(0).flat(), ...this.#waiting];
    this.#waiting = [];
    for (const pending of lost) pending.reject(new PortError('unavailable', pending.call, died));
    this.#release(lost);
  }
}

function joinPayloads(batch: readonly Pending[]): ArrayBuffer | undefined {
  let bytes = 0;
  for (const { load } of batch) bytes += load.payload?.byteLength ?? 0;
  if (bytes === 0) return undefined;
  const joined = new Uint8Array(bytes);
  let position = 0;
  for (const { load } of batch) {
    if (load.payload === undefined) continue;
    joined.set(load.payload, position);
    position += load.payload.byteLength;
  }
  return joined.buffer;
}
