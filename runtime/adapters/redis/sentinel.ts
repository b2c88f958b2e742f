import type { Redis } from 'ioredis';
import { deadline } from './deadline.ts';
import { dial } from './dial.ts';
import { Failure, failureOf, isAnswer, type Where } from './failure.ts';
import { type Address, addressName, type DialOptions } from './options.ts';

const ANSWER_MS = 1_000;

/** Whom a Sentinel takes for the master. */
export interface Opinion {
  readonly master: Address;
  /** Larger with each failover: of two Sentinels the one with the larger number knows of the later one. */
  readonly epoch: number;
}

/** One Sentinel, connected to when it is asked, and again when that connection was lost. */
export class Sentinel {
  readonly #address: Address;
  readonly #masterName: string;
  readonly #options: DialOptions;
  readonly #where: Where;
  readonly #stop = new AbortController();
  #client: Redis | undefined;
  #asking: Promise<Opinion | Failure> | undefined;

  constructor(address: Address, masterName: string, options: DialOptions) {
    this.#address = address;
    this.#masterName = masterName;
    this.#options = options;
    this.#where = { server: `the Sentinel at ${addressName(address)}`, settings: options.settings };
  }

  /** Asks once at a time: a call while another one waits gets that one's answer. Never rejects. */
  ask(): Promise<Opinion | Failure> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#client?.disconnect();
    await this.#asking;
  }

  async #ask(): Promise<Opinion | Failure> {
    try {
      this.#client ??= await this.#dial();
      return await this.#opinion(this.#client);
    } catch (error) {
      this.#client?.disconnect();
      this.#client = undefined;
      return failureOf(error, this.#where);
    }
  }

  /**
   * A Sentinel may ask for no login, as the server does, so it is tried without. One that does ask gets that of the
   * server: there is no other in the YAML.
   */
  async #dial(): Promise<Redis> {
    const { tls, login, settings } = this.#options;
    const signal = this.#stop.signal;
    const client = await dial(this.#address, { tls, login: undefined, settings, protocol: 2, signal });
    try {
      await this.#within(client, client.ping());
      return client;
    } catch (error) {
      client.disconnect();
      if (login === undefined || !isAnswer(error, 'NOAUTH')) throw error;
    }
    return dial(this.#address, { tls, login, settings, protocol: 2, signal });
  }

  async #opinion(client: Redis): Promise<Opinion> {
    const name = this.#masterName;
    const asked = Promise.all([
      client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name),
      client.call('SENTINEL', 'MASTER', name),
    ]);
    const [found, state] = await this.#within(client, asked).catch((error: unknown) => {
      if (isAnswer(error, 'No such master')) throw this.#unknownName();
      if (isAnswer(error, 'unknown command')) throw this.#noSentinel();
      throw error;
    });
    const [host, port] = texts(found);
    const fields = texts(state);
    if (host === undefined || port === undefined) throw this.#unknownName();
    return {
      master: { host, port: Number(port) },
      epoch: Number(fields[fields.indexOf('config-epoch') + 1]),
    };
  }

  #within<T>(client: Redis, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = deadline(ANSWER_MS, () => {
        reject(new Failure('unavailable', `${this.#where.server} gave no answer within ${ANSWER_MS} ms`));
        client.disconnect();
      });
      void answer.then(resolve, reject).finally(cancel);
    });
  }

  #noSentinel(): Failure {
    const { server, settings } = this.#where;
    return new Failure('refused', `${server} is none: correct ${settings.address}, or use spec.redis.url`);
  }

  #unknownName(): Failure {
    return new Failure(
      'refused',
      `${this.#where.server} knows no master "${this.#masterName}": correct spec.redis.masterName`,
    );
  }
}

function texts(answer: unknown): readonly string[] {
  return Array.isArray(answer) ? answer.map(String) : [];
}
