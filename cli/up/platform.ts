import type { FastifyInstance } from 'fastify';
import { EmbeddedMembership } from '../../runtime/adapters/embedded/membership.ts';
import type { Domain } from '../../runtime/domain-kit/domain.ts';
import type { Lifecycle, Readiness } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logging.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { startMetricsServer } from '../../runtime/metrics-server.ts';
import type { Archiver } from '../../runtime/roles/archiver/archiver.ts';
import type { Dispatcher } from '../../runtime/roles/dispatcher/dispatcher.ts';
import type { Feeder } from '../../runtime/roles/feeder/feeder.ts';
import type { LoadProgress } from '../../runtime/roles/feeder/load-fraud-list.ts';
import { CommandError } from '../command-error.ts';
import type { RoleConfigs } from './role-configs.ts';
import { createArchiver, createDispatcher, createFeeder, createWorker, type RoleContext } from './roles.ts';
import type { Stores } from './stores.ts';
import { type PooledWorker, WorkerPool } from './worker-pool.ts';

export interface LocalPlatformOptions {
  readonly configs: RoleConfigs;
  readonly domains: readonly Domain[];
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** One platform in this process: its roles on loopback, each with the stores it needs. */
export class LocalPlatform {
  readonly workers: WorkerPool;
  readonly #options: LocalPlatformOptions;
  readonly #context: RoleContext;
  readonly #membership = new EmbeddedMembership();
  readonly #dispatcher: Dispatcher;
  #feeder: Feeder | undefined;
  #archiver: Archiver | undefined;
  #metricsServer: FastifyInstance | undefined;
  #stores: Stores | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: LocalPlatformOptions) {
    this.#options = options;
    this.#context = {
      ...options,
      stores: () => {
        if (this.#stores === undefined) throw new Error('the roles need stores');
        return this.#stores;
      },
    };
    this.#dispatcher = createDispatcher(this.#context, this.#membership.memberDirectory(), () =>
      this.readiness(),
    );
    const drainMs = options.configs.worker.drainTimeoutMs;
    this.workers = new WorkerPool({ create: (uid) => this.#createWorker(uid), drainMs });
    this.#observe('dispatcher', this.#dispatcher);
  }

  /** The platform is ready when its dispatcher is: that is, when at least one worker has joined it. */
  readiness(): readonly Readiness[] {
    return [this.#dispatcher.readiness()];
  }

  /** Serves health and metrics; resolves to the URL. First to start and last to stop. */
  async startMetrics(): Promise<string> {
    const { metrics, configs } = this.#options;
    const { host, port } = configs.dispatcher.metrics;
    const server = await this.#listen('--metrics-port', port, () =>
      startMetricsServer({
        host,
        port,
        metrics,
        roles: () => this.#allRoles(),
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
    const { port } = this.#options.configs.dispatcher.http;
    const { http, join } = await this.#listen('--port', port, () => this.#dispatcher.start());
    this.#membership.announceDispatcher(join);
    return http;
  }

  /** Serves the administrator's routes, once the dispatcher has started; resolves to their URL. */
  async startAdmin(): Promise<string> {
    const { admin } = this.#options.configs.dispatcher;
    return this.#listen('--admin-port', admin.port, () =>
      this.#dispatcher.serveAdmin({ host: admin.host, port: admin.port }),
    );
  }

  /** Gives the platform its stores; it closes them when it stops. */
  useStores(stores: Stores): void {
    this.#stores = stores;
  }

  /** Starts workers; resolves when all have joined, or after a few seconds. */
  async startWorkers(replicas: number): Promise<void> {
    await this.workers.scale(replicas);
    await this.workers.ready(5_000);
  }

  /**
   * Starts the feeder and waits until it has looked for the fraud list once. Resolves to undefined when the
   * resource names no list.
   */
  async startFeeder(onProgress: (progress: LoadProgress) => void): Promise<Feeder | undefined> {
    const feeder = createFeeder(this.#context, onProgress);
    if (feeder === undefined) return undefined;
    this.#feeder = feeder;
    this.#observe('feeder', feeder);
    feeder.start();
    await feeder.firstLook();
    return feeder;
  }

  /**
   * Starts the archiver, which gets ready by itself; false when the resource wants none. What keeps it from running
   * is logged, and its readiness says it.
   */
  startArchiver(): boolean {
    const archiver = createArchiver(this.#context);
    if (archiver === undefined) return false;
    this.#archiver = archiver;
    this.#observe('archiver', archiver);
    archiver.start().catch((error: unknown) => {
      this.#options.logger.error({ err: error, role: 'archiver' }, 'the archiver cannot run');
    });
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
    await this.#dispatcher.stop(dispatcher.drainTimeoutMs);
    await this.workers.scale(0);
    await this.#feeder?.stop(feeder?.drainTimeoutMs ?? 0);
    // Behind the workers, so that it archives what they have stored last.
    await this.#archiver?.stop(archiver?.drainTimeoutMs ?? 0);
    await this.#stores?.close();
    await this.#metricsServer?.close();
  }

  #allRoles(): readonly Readiness[] {
    const others = [this.#feeder, this.#archiver].flatMap((role) => role?.readiness() ?? []);
    return [...this.readiness(), ...this.workers.readiness(), ...others];
  }

  #createWorker(uid: string): PooledWorker {
    const worker = createWorker(this.#context, this.#membership.register(uid), uid);
    this.#observe('worker', worker);
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

  #observe(role: string, { lifecycle }: { readonly lifecycle: Lifecycle }): void {
    const { roleState } = this.#options.metrics;
    lifecycle.watch((state, before) => {
      if (before !== undefined) roleState.dec({ role, state: before });
      if (state !== 'STOPPED') roleState.inc({ role, state });
    });
  }

  async #listen<T>(flag: string, port: number, listen: () => Promise<T>): Promise<T> {
    try {
      return await listen();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EADDRINUSE') {
        throw new CommandError(`Port ${port} is taken: choose another one with ${flag}.`, 1, {
          cause: error,
        });
      }
      if (code === 'EACCES') {
        throw new CommandError(`Port ${port} may not be used: choose one above 1023 with ${flag}.`, 1, {
          cause: error,
        });
      }
      throw error;
    }
  }
}

function urlOf(server: FastifyInstance): string {
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return `http://${address.address}:${address.port}`;
}
