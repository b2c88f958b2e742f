import type { FastifyInstance } from 'fastify';
import { EmbeddedMembership } from '../../runtime/adapters/embedded/membership.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createArchiver, createDispatcher, createFeeder, createWorker } from '../../runtime/compose/roles.ts';
import type { Stores } from '../../runtime/compose/stores.ts';
import type { Listen } from '../../runtime/config/shared-fields.ts';
import type { Domain } from '../../runtime/domain-kit/domain.ts';
import type { Readiness } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logging.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { startMetricsServer } from '../../runtime/metrics-server.ts';
import { observeLifecycle } from '../../runtime/role-state.ts';
import type { Archiver } from '../../runtime/roles/archiver/archiver.ts';
import type { Dispatcher } from '../../runtime/roles/dispatcher/dispatcher.ts';
import type { Feeder } from '../../runtime/roles/feeder/feeder.ts';
import type { LoadProgress } from '../../runtime/roles/feeder/load-fraud-list.ts';
import { ServiceWait } from '../../runtime/service-wait.ts';
import { listenFailure } from '../listen-failure.ts';
import type { RoleConfigs } from './role-configs.ts';
import { type PooledWorker, WorkerPool } from './worker-pool.ts';

export interface LocalPlatformOptions {
  readonly configs: RoleConfigs;
  readonly domains: readonly Domain[];
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** How long workers that are started are waited for, in ms: longer only where a service is away. */
const JOIN_MS = 5_000;

/** One platform in this process: its roles on loopback, each with the stores it needs. */
export class LocalPlatform {
  readonly workers: WorkerPool;
  readonly #options: LocalPlatformOptions;
  readonly #membership = new EmbeddedMembership();
  readonly #dispatcher: Dispatcher;
  readonly #failure = Promise.withResolvers<never>();
  readonly #waits: ServiceWait[] = [];
  #feeder: Feeder | undefined;
  #archiver: Archiver | undefined;
  #metricsServer: FastifyInstance | undefined;
  #stores: Stores | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: LocalPlatformOptions) {
    this.#options = options;
    // Who does not ask is not told.
    this.#failure.promise.catch(() => {});
    this.#dispatcher = createDispatcher(options, {
      config: options.configs.dispatcher,
      stores: () => this.#openStores(),
      directory: this.#membership.memberDirectory(),
      roles: () => this.readiness(),
      waitsFor: () => this.#stores?.waitsFor() ?? [],
    });
    const drainMs = options.configs.worker.drainTimeoutMs;
    this.workers = new WorkerPool({ create: (uid) => this.#createWorker(uid), drainMs });
    observeLifecycle('dispatcher', this.#dispatcher.lifecycle, { metrics: options.metrics });
  }

  /** The platform is ready when its dispatcher is: that is, when at least one worker has joined it. */
  readiness(): readonly Readiness[] {
    return [this.#dispatcher.readiness()];
  }

  /** Resolves when the dispatcher is ready for the first time, or stops. */
  async ready(): Promise<void> {
    await new Promise<void>((resolve) =>
      this.#dispatcher.lifecycle.watch((state) => {
        if (state === 'READY' || state === 'STOPPED') resolve();
      }),
    );
  }

  /**
   * Rejects with why a role that was started must not run: a service refuses as it is configured, say. Never
   * resolves.
   */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Serves health and metrics; resolves to the URL. First to start and last to stop. */
  async startMetrics(): Promise<string> {
    this.#requireRunning();
    const { metrics, configs } = this.#options;
    const { host, port } = configs.dispatcher.metrics;
    const server = await this.#listen('--metrics-port', configs.dispatcher.metrics, () =>
      startMetricsServer({
        host,
        port,
        metrics,
        roles: () => this.#allRoles(),
        waitsFor: () => this.#stores?.waitsFor() ?? [],
        collect: () => {
          this.#dispatcher.collect();
          this.#feeder?.collect();
        },
      }),
    );
    this.#metricsServer = server;
    return urlOf(server);
  }

  /** Starts the dispatcher, which needs the stores; resolves to the URL of the HTTP API. */
  async startDispatcher(): Promise<string> {
    this.#requireRunning();
    const { http: listen } = this.#options.configs.dispatcher;
    const { http, join } = await this.#listen('--port', listen, () => this.#dispatcher.start());
    this.#mustRun(this.#dispatcher.prepared());
    this.#membership.announceDispatcher(join);
    return http;
  }

  /** Serves the administrator's routes, once the dispatcher has started; resolves to their URL. */
  async startAdmin(): Promise<string> {
    this.#requireRunning();
    const { admin } = this.#options.configs.dispatcher;
    return this.#listen('--admin-port', admin, () => this.#dispatcher.serveAdmin(admin));
  }

  /** Gives the platform its stores; it closes them when it stops. */
  useStores(stores: Stores): void {
    this.#stores = stores;
  }

  /**
   * Does something on the object store. Resolves when it is done, or to false as soon as the store is known to be
   * away: then it is done when the store is there.
   */
  async prepareObjects(work: () => Promise<void>): Promise<boolean> {
    this.#requireRunning();
    const { titles } = this.#openStores();
    const away = Promise.withResolvers<boolean>();
    const wait = new ServiceWait({
      clock: systemClock,
      logger: this.#options.logger,
      titles,
      onWaiting: () => away.resolve(false),
    });
    this.#waits.push(wait);
    const done = wait.for('objects', work);
    this.#mustRun(done);
    return Promise.race([done.then(() => true), away.promise]);
  }

  /** Starts workers; resolves when all have joined, or after a few seconds. */
  async startWorkers(replicas: number): Promise<void> {
    this.#requireRunning();
    await this.workers.scale(replicas);
    this.#mustRun(this.workers.started());
    await this.workers.ready(JOIN_MS);
  }

  /**
   * Starts the feeder and waits until it has looked for the fraud list once. Resolves to undefined when the
   * resource names no list.
   */
  async startFeeder(onProgress: (progress: LoadProgress) => void): Promise<Feeder | undefined> {
    this.#requireRunning();
    const config = this.#options.configs.feeder;
    if (config === undefined) return undefined;
    const feeder = createFeeder(this.#options, { config, stores: this.#openStores(), onProgress });
    this.#feeder = feeder;
    observeLifecycle('feeder', feeder.lifecycle, { metrics: this.#options.metrics });
    feeder.start();
    this.#mustRun(feeder.prepared());
    await feeder.firstLook();
    return feeder;
  }

  /** Starts the archiver, which gets ready by itself; false when the resource wants none. */
  startArchiver(): boolean {
    this.#requireRunning();
    const config = this.#options.configs.archiver;
    if (config === undefined) return false;
    const archiver = createArchiver(this.#options, { config, stores: this.#openStores() });
    this.#archiver = archiver;
    observeLifecycle('archiver', archiver.lifecycle, { metrics: this.#options.metrics });
    this.#mustRun(archiver.start());
    return true;
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /**
   * Answers what was accepted, then stops everything in the reverse order of the start. Calling it again waits
   * for the first call.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { dispatcher, feeder, archiver } = this.#options.configs;
    for (const wait of this.#waits) wait.end();
    await this.#dispatcher.stop(dispatcher.drainTimeoutMs);
    await this.workers.stop();
    await this.#feeder?.stop(feeder?.drainTimeoutMs ?? 0);
    // Behind the workers, so that it archives what they have stored last.
    await this.#archiver?.stop(archiver?.drainTimeoutMs ?? 0);
    await this.#stores?.close();
    await this.#metricsServer?.close();
  }

  /** What is being started when it is told to stop goes no further. */
  #requireRunning(): void {
    if (this.isStopping) throw new Error('the platform stops');
  }

  #openStores(): Stores {
    if (this.#stores === undefined) throw new Error('the roles need stores');
    return this.#stores;
  }

  #mustRun(started: Promise<unknown>): void {
    started.catch((error: unknown) => this.#failure.reject(error));
  }

  #allRoles(): readonly Readiness[] {
    const others = [this.#feeder, this.#archiver].flatMap((role) => role?.readiness() ?? []);
    return [...this.readiness(), ...this.workers.readiness(), ...others];
  }

  #createWorker(uid: string): PooledWorker {
    const config = this.#options.configs.worker;
    const directory = this.#membership.register(uid);
    const worker = createWorker(this.#options, { config, stores: this.#openStores(), directory, uid });
    observeLifecycle('worker', worker.lifecycle, { metrics: this.#options.metrics });
    return {
      uid,
      get joined() {
        return worker.lifecycle.state === 'READY';
      },
      start: () => worker.start(),
      ready: () => worker.ready(),
      readiness: () => worker.readiness(),
      stop: async (deadlineMs) => {
        await worker.stop(deadlineMs);
        this.#membership.unregister(uid);
      },
    };
  }

  async #listen<T>(flag: string, server: Listen, listen: () => Promise<T>): Promise<T> {
    try {
      return await listen();
    } catch (error) {
      throw listenFailure(error, { [flag]: server });
    }
  }
}

function urlOf(server: FastifyInstance): string {
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return `http://${address.address}:${address.port}`;
}
