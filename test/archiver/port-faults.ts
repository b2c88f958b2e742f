import type { EventLog, RecordBatch, SubscribeOptions, Subscription } from '../../runtime/ports/event-log.ts';
import type { ObjectStore } from '../../runtime/ports/object-store.ts';
import { PortError } from '../../runtime/ports/port-error.ts';

/**
 * What happens at a call. `refused`: it fails and has no effect; `unanswered`: it fails and has its effect.
 * `killed`: the process dies before it or after it; neither that call nor any other one is ever answered.
 */
export type FaultMode = 'refused' | 'unanswered' | 'killed before' | 'killed after';

/** Ports of one process with a fault at its n-th call. */
export class PortFaults {
  readonly log: EventLog;
  readonly objects: ObjectStore;
  /** Resolves when the process is dead and its group has noticed. */
  readonly dead: Promise<void>;
  #calls = 0;
  #isDead = false;
  readonly #at: number;
  readonly #mode: FaultMode;
  readonly #died = Promise.withResolvers<undefined>();
  readonly #subscriptions: Subscription[] = [];

  constructor(at: number, mode: FaultMode, ports: { readonly log: EventLog; readonly objects: ObjectStore }) {
    this.#at = at;
    this.#mode = mode;
    this.log = this.#wrap(ports.log, { subscribe: (options) => this.#subscribe(ports.log, options) });
    this.objects = this.#wrap(ports.objects, {});
    this.dead = this.#died.promise.then(async () => {
      await Promise.all(this.#subscriptions.map((subscription) => subscription.close()));
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Whether there were so many calls that the fault has happened. */
  get hasHappened(): boolean {
    return this.#calls >= this.#at;
  }

  #wrap<T extends object>(port: T, own: Partial<T>): T {
    return new Proxy(port, {
      get: (target, property) => {
        const value: unknown = Reflect.get(Reflect.has(own, property) ? own : target, property);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): Promise<unknown> =>
          this.#call(() => Reflect.apply(value, target, args) as Promise<unknown>);
      },
    });
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isDead) return never();
    this.#calls += 1;
    const result = await (this.#calls === this.#at ? this.#fault(work) : work());
    return this.#isAlive() ? result : never();
  }

  async #fault<T>(work: () => Promise<T>): Promise<T> {
    switch (this.#mode) {
      case 'refused':
        throw unavailable();
      case 'unanswered':
        await work();
        throw unavailable();
      case 'killed before':
        this.#die();
        return never();
      case 'killed after':
        await work();
        this.#die();
        return never();
    }
  }

  #isAlive(): boolean {
    return !this.#isDead;
  }

  #die(): void {
    this.#isDead = true;
    this.#died.resolve(undefined);
  }

  async #subscribe(log: EventLog, options: SubscribeOptions): Promise<Subscription> {
    const subscription = await log.subscribe({
      ...options,
      onAssigned: async (topic, partition) =>
        this.#alive(options.onAssigned?.(topic, partition) ?? Promise.resolve(undefined)),
      onBatch: (batch) => this.#alive(options.onBatch(this.#wrapBatch(batch))),
      onError: (error) => {
        if (!this.#isDead) options.onError(error);
      },
    });
    this.#subscriptions.push(subscription);
    return subscription;
  }

  #wrapBatch(batch: RecordBatch): RecordBatch {
    return { ...batch, commit: (offset) => this.#call(() => batch.commit(offset)) };
  }

  /** What the process answers; when it dies, its connection fails. */
  async #alive<T>(answer: Promise<T>): Promise<T> {
    const died = this.#died.promise.then(() => Promise.reject(unavailable()));
    return Promise.race([answer, died]);
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

function unavailable(): PortError {
  return new PortError('unavailable', 'test', 'a fault that was put in');
}
