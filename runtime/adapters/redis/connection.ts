import type { Redis } from 'ioredis';
import { PortError } from '../../ports/port-error.ts';
import { deadline } from './deadline.ts';
import { dial } from './dial.ts';
import { closedFailure, Failure, failureOf, isAnswer, type Where } from './failure.ts';
import { type Address, addressName, type DialOptions } from './options.ts';
import type { Script } from './scripts.ts';
import { markOf } from './server-info.ts';

/** How long a command may take. With the wait for a connection (link.ts) less than the 4 s of a port's guard. */
const ANSWER_MS = 2_500;
/** How often the server is asked whether it is what it was. */
const BEAT_MS = 1_000;
const BEAT_ANSWER_MS = 2_000;

/**
 * One connection to one server, never to another: its mark is that of the server which answers. It asks every second
 * whether that is still the master, and gives itself up when it is not, or does not answer.
 */
export class Connection {
  /** host:port. */
  readonly server: string;
  readonly #client: Redis;
  readonly #where: Where;
  readonly #ended: Promise<void>;
  readonly #onLost = new Set<(failure: Failure) => void>();
  #cancelBeat = (): void => {};
  #mark = '';
  #lost: Failure | undefined;

  private constructor(client: Redis, where: Where) {
    this.server = where.server;
    this.#client = client;
    this.#where = where;
    this.#ended = new Promise((resolve) => {
      client.once('end', () => {
        this.drop(new Failure('unavailable', `the connection to ${where.server} was lost`));
        resolve();
      });
    });
  }

  /** Connects, logs in and looks at the server; rejects with a Failure when it is not to be relied on. */
  static async open(address: Address, options: DialOptions, signal: AbortSignal): Promise<Connection> {
    const client = await dial(address, { ...options, protocol: 3, signal });
    const where = { server: addressName(address), settings: options.settings };
    const connection = new Connection(client, where);
    const onAbort = (): void => connection.drop(closedFailure());
    signal.addEventListener('abort', onAbort);
    try {
      if (options.database !== 0) await connection.run(() => client.select(options.database));
      await connection.verify();
      connection.#beat();
      return connection;
    } catch (error) {
      connection.drop(failureOf(error, where));
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The mark of the server. */
  get mark(): string {
    return this.#mark;
  }

  /** Sends commands and waits for the answer. Rejects with a Failure; PortErrors of the work pass as they are. */
  run<T>(work: (client: Redis) => Promise<T>, answerMs = ANSWER_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = deadline(answerMs, () => {
        const late = new Failure('timeout', `${this.server} gave no answer within ${answerMs} ms`);
        reject(late);
        // Who does not answer one does not answer the others either: a connection can be dead without being closed.
        this.drop(late);
      });
      work(this.#client).then(
        (value) => {
          cancel();
          resolve(value);
        },
        (error: unknown) => {
          cancel();
          reject(this.#failed(error));
        },
      );
    });
  }

  /** Runs a script, in one round trip but for its first time on a server. */
  script(
    { sha, source }: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.run(async (client) => {
      try {
        return await client.evalsha(sha, keys.length, ...keys, ...args);
      } catch (error) {
        // Nothing was run.
        if (!isAnswer(error, 'NOSCRIPT')) throw error;
        return client.eval(source, keys.length, ...keys, ...args);
      }
    });
  }

  /** Looks at the server anew. When it is not to be relied on any more, the connection is given up and this rejects. */
  async verify(): Promise<void> {
    try {
      // By the older protocol a connection that is subscribed can ask for nothing else.
      if (this.#client.mode === 'subscriber') await this.run((client) => client.ping(), BEAT_ANSWER_MS);
      else this.#mark = markOf(await this.run((client) => client.info(), BEAT_ANSWER_MS), this.#where);
    } catch (error) {
      const failure = failureOf(error, this.#where);
      this.drop(failure);
      throw failure;
    }
  }

  /** Calls back once when the connection is lost or given up; at once if it is already. */
  onLost(listener: (failure: Failure) => void): void {
    if (this.#lost === undefined) this.#onLost.add(listener);
    else listener(this.#lost);
  }

  /** Gives the connection up: what waits for an answer is rejected. */
  drop(failure: Failure): void {
    if (this.#lost !== undefined) return;
    this.#lost = failure;
    this.#cancelBeat();
    this.#client.disconnect();
    for (const listener of this.#onLost) listener(failure);
    this.#onLost.clear();
  }

  /** Gives the connection up; resolves when its socket is closed. */
  async close(): Promise<void> {
    this.drop(new Failure('unavailable', 'the cache is being closed'));
    await this.#ended;
  }

  #beat(): void {
    if (this.#lost !== undefined) return;
    this.#cancelBeat = deadline(BEAT_MS, () => {
      this.verify().then(
        () => this.#beat(),
        // The listeners of the loss know.
        () => {},
      );
    });
  }

  #failed(error: unknown): Error {
    // The latter is a defect of this adapter, which is not to pass for a lost connection.
    if (error instanceof PortError || error instanceof TypeError) return error;
    const failure = failureOf(error, this.#where);
    if (!isAnswer(error)) return this.#lost ?? failure;
    if (isAnswer(error, 'READONLY')) this.drop(failure);
    return failure;
  }
}
