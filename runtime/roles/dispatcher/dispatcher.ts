import { randomUUID } from 'node:crypto';
import { type ChannelCredentials, Server, type ServerCredentials } from '@grpc/grpc-js';
import { type Clock, pause } from '../../clock.ts';
import type { Domain } from '../../domain-kit/domain.ts';
import type { ReadinessSource } from '../../health.ts';
import { Lifecycle, type Readiness } from '../../lifecycle.ts';
import type { LinkLimits } from '../../link/protocol.ts';
import { bindServer } from '../../link/grpc-bind.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import type { MemberDirectory, MemberRecord } from '../../ports/membership.ts';
import { createDispatch } from './dispatch.ts';
import { createHttpServer, type HttpServer } from './http-server.ts';
import { Members } from './members.ts';
import { registerMembershipServer } from './membership-server.ts';

export interface DispatcherOptions {
  readonly domains: readonly Domain[];
  readonly directory: MemberDirectory;
  /** Address of the HTTP server. */
  readonly httpHost: string;
  readonly httpPort: number;
  /** Address at which workers join; the port is the system's choice when it is 0. */
  readonly joinHost: string;
  readonly joinPort: number;
  readonly serverCredentials: ServerCredentials;
  readonly channelCredentials: ChannelCredentials;
  readonly maxMembers: number;
  /** HTTP requests that may be worked on at the same time. */
  readonly maxInFlight: number;
  readonly limits: LinkLimits;
  readonly version: string;
  /** Every role of the process, for /readyz on the public port. */
  readonly roles: ReadinessSource;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** How long a discovered worker is given to join by itself before it is dialled, in ms. */
const DISCOVERY_DELAY_MS = 500;

/** The role that answers HTTP: it has no database and knows workers only. */
export class Dispatcher {
  readonly lifecycle = new Lifecycle();
  readonly #options: DispatcherOptions;
  readonly #members: Members;
  readonly #joinServer = new Server();
  #server: HttpServer | undefined;
  /** Uids of workers that were discovered and not looked at yet. */
  readonly #discovered = new Set<string>();
  #stopWatching = (): void => {};
  #joinAddress: string | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: DispatcherOptions) {
    const { channelCredentials: credentials, clock, limits, logger, metrics } = options;
    const dispatcherId = randomUUID();
    this.#options = options;
    this.#members = new Members({ dispatcherId, credentials, clock, limits, logger, metrics });
    registerMembershipServer(this.#joinServer, {
      dispatcherId,
      directory: options.directory,
      members: this.#members,
      maxMembers: options.maxMembers,
      isLeaving: () => this.lifecycle.state === 'DRAINING' || this.lifecycle.state === 'STOPPED',
      logger,
      metrics,
    });
  }

  /**
   * Binds the join server and the HTTP server and follows the directory. Resolves to the addresses bound.
   * Rejects when a port is taken.
   */
  async start(): Promise<{ readonly http: string; readonly join: string }> {
    const { joinHost, joinPort, serverCredentials, httpHost, httpPort } = this.#options;
    this.#server = await createHttpServer({ ...this.#options, dispatch: this.#dispatch() });
    const http = await this.#server.http.listen({ host: httpHost, port: httpPort, backlog: 4_096 });
    const port = await bindServer(this.#joinServer, `${joinHost}:${joinPort}`, serverCredentials);
    this.#joinAddress = `${joinHost}:${port}`;
    this.#stopWatching = this.#options.directory.watch({
      added: (record) => {
        this.#discovered.add(record.uid);
        this.#options.clock.after(DISCOVERY_DELAY_MS, () => this.#dialDiscovered(record));
      },
      removed: (uid) => {
        this.#discovered.delete(uid);
        this.#members.remove(uid);
      },
    });
    this.lifecycle.enter('JOINING');
    this.#members.onChange(() => this.#followMembers());
    this.#followMembers();
    return { http, join: this.#joinAddress };
  }

  readiness(): Readiness {
    const { state } = this.lifecycle;
    const ready = state === 'READY';
    const reason = state === 'JOINING' ? 'no worker has joined' : state.toLowerCase();
    return { role: 'dispatcher', state, ready, ...(ready ? {} : { reason }) };
  }

  /** How many workers can be sent operations now. */
  get usableMembers(): number {
    return this.#members.usable();
  }

  /** Brings gauges up to date; called before metrics are read. */
  collect(): void {
    this.#members.observeWindows();
    this.#options.metrics.httpInFlight.set(this.#server?.requests.inFlight ?? 0);
  }

  /**
   * Stops: takes no new connections, answers what it has accepted, then ends its links; after the deadline, in
   * ms, it stops all the same. Calling it again waits for the first call.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#drain(deadlineMs);
    return this.#stopping;
  }

  async #drain(deadlineMs: number): Promise<void> {
    const { clock, directory, logger } = this.#options;
    this.lifecycle.enter('DRAINING');
    this.#stopWatching();
    const giveUp = new AbortController();
    const answered = this.#server?.http.close().then(() => true);
    const inTime = await Promise.race([answered, pause(clock, deadlineMs, giveUp.signal).then(() => false)]);
    giveUp.abort();
    if (inTime === false) logger.warn('stopped before all requests were answered');
    this.#server?.http.server.closeAllConnections();
    this.#members.close('the dispatcher stops');
    this.#joinServer.forceShutdown();
    await directory.close();
    this.lifecycle.enter('STOPPED');
  }

  /** A worker that was discovered and has not joined by itself meanwhile, because this dispatcher is new, say. */
  #dialDiscovered(record: MemberRecord): void {
    const isWanted = this.#discovered.delete(record.uid);
    if (isWanted && !this.#members.has(record.uid) && this.#isServing())
      this.#members.admit(record, undefined);
  }

  #dispatch(): ReturnType<typeof createDispatch> {
    const { clock, logger, metrics } = this.#options;
    return createDispatch({ members: this.#members, clock, logger, metrics });
  }

  #isServing(): boolean {
    return this.lifecycle.state === 'JOINING' || this.lifecycle.state === 'READY';
  }

  #followMembers(): void {
    if (this.#isServing()) this.lifecycle.enter(this.#members.usable() > 0 ? 'READY' : 'JOINING');
  }
}
