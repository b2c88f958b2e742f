import { pino } from 'pino';
import { ComposedEventStore } from '../../runtime/adapters/composed/event-store.ts';
import type { Call, Discard } from '../../runtime/domain-kit/domain.ts';
import { eventWriter } from '../../runtime/domain-kit/event-writer.ts';
import type { Outcome } from '../../runtime/domain-kit/outcome.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { Publishing } from '../../runtime/roles/worker/publishing/publishing.ts';
import type { ComposedStores } from './composed-stores.ts';
import { FakeCache } from './fake-cache.ts';
import { Faults } from './fakes.ts';
import { ManualClock } from './manual-clock.ts';
import { turn, within } from './eventually.ts';

export interface Payment {
  readonly to: string;
}

export const PAYMENTS = 'payments';
/** Payments to this one are refused. */
export const FRAUDSTER = 'mallory';

/** A clock whose wall time can be set, as an administrator or a time service does. */
class SettableClock extends ManualClock {
  #setMs = 0;

  override now(): number {
    return super.now() + this.#setMs;
  }

  setBack(ms: number): void {
    this.#setMs -= ms;
  }
}

/**
 * One start of a worker, as far as storing and publishing goes: with a machine of its own (clock), faults of its
 * own on the way to the stores, and a death that comes at any call.
 */
export class PublishingBoot {
  readonly clock: SettableClock;
  readonly faults = new Faults();
  readonly metrics = createMetrics();
  readonly publishing: Publishing;
  readonly write: (calls: readonly (Call<Payment> | Discard)[]) => Promise<readonly Outcome<string>[]>;
  readonly #stores: ComposedStores;
  readonly #death = Promise.withResolvers<unknown>();
  #isDead = false;
  #deathAt: string | undefined;
  #callsLeft = 0;
  #hangAt: string | undefined;
  #pending = 0;

  /** `epoch`: what the clock of its machine shows at first. */
  constructor(stores: ComposedStores, options: { readonly bootId: string; readonly epoch?: number }) {
    const { bootId, epoch } = options;
    this.#stores = stores;
    this.clock = new SettableClock(epoch);
    const documents = this.#mortal(this.faults.wrap(stores.documents));
    const log = this.#mortal(this.faults.wrap(stores.log));
    const { clock, metrics } = this;
    const logger = pino({ level: 'silent' });
    this.publishing = new Publishing({ bootId, documents, log, clock, logger, metrics });
    const { publications } = this.publishing;
    const events = new ComposedEventStore(documents, log);
    this.write = eventWriter<Payment, string>({
      operation: 'test.pay',
      collection: PAYMENTS,
      ports: { events, documents, log, cache: new FakeCache().port, clock, bootId, publications },
      judge: (payments) =>
        Promise.resolve(payments.map(({ to }) => (to === FRAUDSTER ? { refuse: 'FRAUDULENT' } : 'accept'))),
      content: ({ to }) => ({ to }),
      lookup: () => ({}),
      derive: () => [],
      respond: ({ id }) => id,
    });
  }

  /** Makes what it needs, and stores its first watermark. */
  async start(): Promise<this> {
    await this.#stores.documents.ensureCollections([
      { name: PAYMENTS, indexes: [] },
      ...this.publishing.collections(),
    ]);
    await this.publishing.start();
    return this;
  }

  /** Stores payments, a batch of them; resolves to their verdicts, or causes of failure. */
  async pay(...ids: readonly string[]): Promise<readonly string[]> {
    const outcomes = await this.write(ids.map((id) => payment(id)));
    return outcomes.map((outcome) => (outcome.verdict === 'FAILED' ? outcome.cause : outcome.verdict));
  }

  /** Lets time pass on its machine, second by second, each with all that it makes the worker do. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.clock.advance(Math.min(1_000, ms - passed));
      await this.idle();
    }
  }

  /** Resolves when it waits for no store. */
  async idle(): Promise<void> {
    const until = async (): Promise<void> => {
      do await turn();
      while (this.#pending > 0);
    };
    await within('the worker waits for no store any more', until());
  }

  /** Looks for workers that are gone, as it does on its schedule. */
  sweep(signal = new AbortController().signal): Promise<void> {
    return this.publishing.task.run(signal);
  }

  /** Sweeps on its schedule for so long. */
  async keepSweeping(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += this.publishing.task.everyMs) {
      await this.pass(this.publishing.task.everyMs);
      await this.sweep();
    }
  }

  /** Stops all at once: no call of it reaches a store any more. */
  kill(): void {
    this.#isDead = true;
    this.#death.resolve(true);
  }

  /** It dies at a call of this method, its next one or one after that, which reaches no store. */
  dieAt(method: string, call = 1): void {
    this.#deathAt = method;
    this.#callsLeft = call;
  }

  /** Resolves when it is dead. */
  async death(): Promise<void> {
    await within('the worker dies', this.#death.promise);
  }

  /** Its next call of this method reaches no store and is never answered; it goes on with all else. */
  hangAt(method: string): void {
    this.#hangAt = method;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  async republished(reason: 'own' | 'gone'): Promise<number> {
    const { values } = await this.metrics.republished.get();
    return values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
  }

  async unpublishedAge(): Promise<number> {
    return (await this.metrics.unpublishedAge.get()).values[0]?.value ?? 0;
  }

  #mortal<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown =>
          this.#call(String(property), () => Reflect.apply(value, target, args) as Promise<unknown>);
      },
    });
  }

  #call(method: string, call: () => Promise<unknown>): Promise<unknown> {
    if (method === this.#deathAt) {
      this.#callsLeft -= 1;
      if (this.#callsLeft === 0) this.kill();
    }
    const hangs = method === this.#hangAt;
    if (hangs) this.#hangAt = undefined;
    if (this.#isDead || hangs) return new Promise(() => {});
    this.#pending += 1;
    return call().finally(() => {
      this.#pending -= 1;
    });
  }
}

/** A payment of which the id is the body, too. */
export function payment(eventId: string, to = 'bob'): Call<Payment> {
  return { request: { to }, eventId, bodyHash: `hash of ${eventId} to ${to}` };
}
