import { credentials, ServerCredentials } from '@grpc/grpc-js';
import type { FastifyInstance } from 'fastify';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { EmbeddedMembership } from '../../runtime/adapters/embedded/membership.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Domain } from '../../runtime/domain-kit/domain.ts';
import type { Readiness } from '../../runtime/lifecycle.ts';
import { DEFAULT_LIMITS } from '../../runtime/link/protocol.ts';
import type { Logger } from '../../runtime/logging.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { startMetricsServer } from '../../runtime/metrics-server.ts';
import { Dispatcher } from '../../runtime/roles/dispatcher/dispatcher.ts';
import { Worker } from '../../runtime/roles/worker/worker.ts';
import { CommandError } from '../command-error.ts';
import type { Stores } from './stores.ts';
import { type PooledWorker, WorkerPool } from './worker-pool.ts';

export interface LocalPlatformOptions {
  readonly resource: MiniPlatform;
  readonly domains: readonly Domain[];
  readonly port: number;
  readonly metricsPort: number;
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const LOOPBACK = '127.0.0.1';
/** HTTP requests in work at once; beyond it they are refused before their bodies are read. */
const MAX_IN_FLIGHT = 4_096;
const DRAIN_MS = 10_000;

/** One platform in this process: a dispatcher and its workers on loopback, each with the stores it needs. */
export class LocalPlatform {
  readonly workers: WorkerPool;
  readonly #options: LocalPlatformOptions;
  readonly #membership = new EmbeddedMembership();
  readonly #dispatcher: Dispatcher;
  #metricsServer: FastifyInstance | undefined;
  #stores: Stores | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: LocalPlatformOptions) {
    const { resource, domains, port, version, logger, metrics } = options;
    this.#options = options;
    this.#dispatcher = new Dispatcher({
      domains,
      directory: this.#membership.memberDirectory(),
      httpHost: LOOPBACK,
      httpPort: port,
      joinHost: LOOPBACK,
      joinPort: 0,
      // Loopback only: nothing leaves this process.
      serverCredentials: ServerCredentials.createInsecure(),
      channelCredentials: credentials.createInsecure(),
      maxMembers: resource.spec.worker.maxMembers,
      maxInFlight: MAX_IN_FLIGHT,
      limits: DEFAULT_LIMITS,
      version,
      roles: () => this.readiness(),
      clock: systemClock,
      logger: logger.child({ role: 'dispatcher' }),
      metrics,
    });
    this.workers = new WorkerPool({ create: (uid) => this.#createWorker(uid), drainMs: DRAIN_MS });
    this.#observe('dispatcher', this.#dispatcher);
  }

  /** The platform is ready when its dispatcher is: that is, when at least one worker has joined it. */
  readiness(): readonly Readiness[] {
    return [this.#dispatcher.readiness()];
  }

  /** Serves health and metrics; resolves to the URL. First to start and last to stop. */
  async startMetrics(): Promise<string> {
    const { metricsPort: port, metrics } = this.#options;
    const server = await this.#listen('--metrics-port', port, () =>
      startMetricsServer({
        host: LOOPBACK,
        port,
        metrics,
        roles: () => [...this.readiness(), ...this.workers.readiness()],
        collect: () => this.#dispatcher.collect(),
      }),
    );
    this.#metricsServer = server;
    return urlOf(server);
  }

  /** Starts the dispatcher; resolves to the URL of the HTTP API. */
  async startDispatcher(): Promise<string> {
    const { http, join } = await this.#listen('--port', this.#options.port, () => this.#dispatcher.start());
    this.#membership.announceDispatcher(join);
    return http;
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
    await this.#dispatcher.stop(DRAIN_MS);
    await this.workers.scale(0);
    await this.#stores?.close();
    await this.#metricsServer?.close();
  }

  #createWorker(uid: string): PooledWorker {
    const { domains, logger, metrics } = this.#options;
    const stores = this.#stores;
    if (stores === undefined) throw new Error('workers need stores');
    const worker = new Worker({
      uid,
      domains,
      ports: stores,
      directory: this.#membership.register(uid),
      host: LOOPBACK,
      port: 0,
      serverCredentials: ServerCredentials.createInsecure(),
      channelCredentials: credentials.createInsecure(),
      limits: DEFAULT_LIMITS,
      clock: systemClock,
      logger: logger.child({ role: 'worker', worker: uid }),
      metrics,
    });
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

  #observe(role: string, { lifecycle }: Pick<Worker, 'lifecycle'>): void {
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
