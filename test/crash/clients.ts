import { setTimeout as sleep } from 'node:timers/promises';
import { Actor, type ActorOptions } from './actor.ts';
import type { HttpClient } from './http-client.ts';

export interface ClientsOptions extends ActorOptions {
  /** How many work at the same time. */
  readonly count: number;
  /** How long each of them rests behind what it has done, in ms; by default not at all. */
  readonly restMs?: number;
  /** What a broken connection means: that nobody is there any more, which is the default, or that another one is. */
  readonly whenCut?: 'stop' | 'go-on';
}

/** Clients that write and read while the platform is up. They stop by themselves when it is not. */
export class Clients {
  readonly #options: ClientsOptions;
  readonly #running: readonly Promise<void>[];
  #http: HttpClient | undefined;
  #wake = Promise.withResolvers<undefined>();
  #isOver = false;
  #busy = 0;
  #whenIdle = (): void => {};

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#running = Array.from({ length: options.count }, (_, number) => this.#work(number));
  }

  /** False when they were not resumed, or a connection broke since. */
  get areWorking(): boolean {
    return this.#http !== undefined;
  }

  /** The platform is up: work with it. */
  resume(http: HttpClient): void {
    this.#http = http;
    this.#wake.resolve(undefined);
  }

  /** Begins nothing more; resolves when all that was asked is answered, or cut. */
  async pause(): Promise<void> {
    this.#stop();
    if (this.#busy === 0) return;
    const idle = Promise.withResolvers<undefined>();
    this.#whenIdle = () => idle.resolve(undefined);
    await idle.promise;
  }

  /** Lets every client go. */
  async end(): Promise<void> {
    await this.pause();
    this.#isOver = true;
    this.#wake.resolve(undefined);
    await Promise.all(this.#running);
  }

  async #work(number: number): Promise<void> {
    const actor = new Actor(this.#options, this.#options.random.fork(`client ${number}`), number);
    for (;;) {
      await this.#wake.promise;
      if (this.#isOver) return;
      if (this.#http !== undefined) await this.#act(actor, this.#http);
    }
  }

  async #act(actor: Actor, http: HttpClient): Promise<void> {
    this.#busy += 1;
    const wasCut = await actor.act(http);
    const { restMs = 0, whenCut = 'stop' } = this.#options;
    // Asking again at once would find nobody and say nothing.
    if (wasCut && whenCut === 'stop' && this.#http === http) this.#stop();
    this.#busy -= 1;
    if (this.#busy === 0) this.#whenIdle();
    if (restMs > 0) await sleep(restMs);
  }

  #stop(): void {
    if (this.#http === undefined) return;
    this.#http = undefined;
    this.#wake = Promise.withResolvers<undefined>();
  }
}
