import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Logger, pino } from 'pino';
import { LocalPlatform } from '../../cli/up/platform.ts';
import { openStores } from '../../runtime/compose/stores.ts';
import { loadMiniPlatform } from '../../resource/load.ts';
import { systemClock } from '../../runtime/clock.ts';
import { FRAUD_SET } from '../../runtime/domains/bank/fraud.ts';
import { bank } from '../../runtime/domains/bank/index.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { configsOf } from './configs.ts';
import { eventually } from './eventually.ts';

const RESOURCE = `apiVersion: mini-platform.io/v1alpha1
kind: MiniPlatform
metadata: { name: parking }
spec:
  retry:
    deadline: 10s
    maxAttempts: 2
    backoff: { initial: 10ms, max: 100ms }
`;

/** Makes a port's calls reject for as long as a test wants. */
export class Outage {
  #error: Error | undefined;

  /** From now on every call rejects: the service is away. */
  begin(): void {
    this.#error = new PortError('unavailable', 'service.call', 'away');
  }

  /** From now on every call rejects with what no adapter should: the fault lies with the call itself. */
  beginDefect(): void {
    this.#error = new Error('a defect');
  }

  end(): void {
    this.#error = undefined;
  }

  /** The port, or an outage. */
  wrap<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function' || property === 'close') return value;
        return (...args: unknown[]): unknown =>
          this.#error === undefined ? Reflect.apply(value, target, args) : Promise.reject(this.#error);
      },
    });
  }
}

/** What came back, parsed. */
export interface Answered {
  readonly status: number;
  readonly location: string | null;
  readonly body: Record<string, unknown>;
}

/** A bank in this process on embedded stores, which a test can take away. */
export class ParkingPlatform {
  /** Where events are stored. */
  readonly documents = new Outage();
  readonly log = new Outage();
  readonly cache = new Outage();
  metrics = createMetrics();
  readonly #folder: string;
  #platform: LocalPlatform | undefined;
  #url = '';
  #adminUrl = '';

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts a bank with so many workers. */
  static async start(workers: number, logger = pino({ level: 'silent' })): Promise<ParkingPlatform> {
    const started = new ParkingPlatform(await mkdtemp(path.join(tmpdir(), 'mini-platform-parking-')));
    await started.#start(workers, logger);
    return started;
  }

  /** Stops it and starts it again on what it has stored. */
  async restart(workers: number): Promise<void> {
    await this.#platform?.stop();
    await this.#start(workers, pino({ level: 'silent' }));
  }

  async scale(workers: number): Promise<void> {
    await this.#platform?.startWorkers(workers);
  }

  async stop(): Promise<void> {
    await this.#platform?.stop();
    await rm(this.#folder, { recursive: true });
  }

  /** Pays from ada to bob. */
  pay(key: string, amount = 12, receiver = 'bob'): Promise<Answered> {
    return this.#askPublic('/transaction', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ sender: 'ada', receiver, amount }),
    });
  }

  get(target: string): Promise<Answered> {
    return this.#askPublic(target);
  }

  admin(method: string, target: string): Promise<Answered> {
    return this.#ask(`${this.#adminUrl}${target}`, { method });
  }

  /** Asks again where nothing was done, as clients do: a busy machine makes the dispatcher shed load. */
  #askPublic(target: string, init?: RequestInit): Promise<Answered> {
    return eventually(`an answer to ${target}`, async () => {
      const answer = await this.#ask(`${this.#url}${target}`, init);
      return answer.body['code'] !== 'NOT_ATTEMPTED' && answer;
    });
  }

  async #ask(url: string, init: RequestInit = {}): Promise<Answered> {
    const response = await fetch(url, init);
    const body = (await response.json()) as Record<string, unknown>;
    return { status: response.status, location: response.headers.get('location'), body };
  }

  async #start(workers: number, logger: Logger): Promise<void> {
    const loaded = loadMiniPlatform(RESOURCE, 'parking.yaml');
    if (!loaded.ok) throw new Error('the resource is not valid');
    const metrics = createMetrics();
    this.metrics = metrics;
    const stores = await openStores({
      base: this.#folder,
      name: 'parking',
      clock: systemClock,
      logger,
      metrics,
      wrap: (ports) => ({
        ...ports,
        events: this.documents.wrap(ports.events),
        documents: this.documents.wrap(ports.documents),
        log: this.log.wrap(ports.log),
        cache: this.cache.wrap(ports.cache),
      }),
    });
    await stores.cache.apply([
      { op: 'add', key: FRAUD_SET, members: ['mallory'] },
      { op: 'mark', key: FRAUD_SET, scored: false },
    ]);
    const platform = new LocalPlatform({
      configs: configsOf(loaded.resource),
      domains: [bank],
      version: 'test',
      logger,
      metrics,
    });
    this.#platform = platform;
    platform.useStores(stores);
    this.#url = await platform.startDispatcher();
    this.#adminUrl = await platform.startAdmin();
    await platform.startWorkers(workers);
  }
}
