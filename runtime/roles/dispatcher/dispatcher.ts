import { randomUUID } from 'node:crypto';
import { type ChannelCredentials, Server, type ServerCredentials } from '@grpc/grpc-js';
import type { FastifyInstance } from 'fastify';
import { type Clock, pause } from '../../clock.ts';
import type { Dispatch, Domain } from '../../domain-kit/domain.ts';
import type { ReadinessSource, WaitingSource } from '../../health.ts';
import { Lifecycle, type Readiness } from '../../lifecycle.ts';
import type { LinkLimits } from '../../link/protocol.ts';
import { bindServer } from '../../link/grpc-bind.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import type { Parking } from '../../parking/parking.ts';
import type { MemberDirectory, MemberRecord } from '../../ports/membership.ts';
import { type StoreNeeds, ServiceWait } from '../../service-wait.ts';
import { createAdminServer } from './admin-server.ts';
import { createDispatch } from './dispatch.ts';
import { createHttpServer, type HttpServer } from './http-server.ts';
import { Members } from './members.ts';
import { registerMembershipServer } from './membership-server.ts';
import { createResend, type Resend } from './resend.ts';

/** How a dispatcher keeps writes that were not decided. */
export interface DispatcherParking {
  /** Called once, when the dispatcher starts; `send` is the way of a parked write to a worker. */
  readonly create: (send: Resend['send']) => Parking;
  /** What it is kept in. Asked once, when the dispatcher starts. */
  readonly needs?: () => StoreNeeds;
  /** How long a write is tried, over all tries, before it is parked, in ms. */
  readonly parkAfterMs: number;
}

export interface DispatcherOptions {
  readonly domains: readonly Domain[];
  readonly directory: MemberDirectory;
  /** Absent: a write that is not decided is given back to the client, who asks again. */
  readonly parking?: DispatcherParking;
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
  /** How long a request may take to arrive whole, in ms (10,000). */
  readonly requestTimeoutMs?: number;
  readonly limits: LinkLimits;
  readonly version: string;
  /** Every role of the process, for /readyz on the public port. */
  readonly roles: ReadinessSource;
  /** Services that are waited for, for the same; everybody may read it. */
  readonly waitsFor?: WaitingSource;
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
  readonly #resend: Resend;
  #server: HttpServer | undefined;
  #adminServer: FastifyInstance | undefined;
  #parking: Parking | undefined;
  readonly #prepared = Promise.withResolvers<undefined>();
  #wait: ServiceWait | undefined;
  /** Uids of workers that were discovered and not looked at yet. */
  readonly #discovered = new Set<string>();
  #stopWatching = (): void => {};
  #joinAddress: string | undefined;
  #starting: Promise<unknown> | undefined;
  #adminListening: Promise<unknown> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: DispatcherOptions) {
    const { channelCredentials: credentials, clock, limits, logger, metrics } = options;
    const dispatcherId = randomUUID();
    this.#options = options;
    // Who does not ask is not told.
    this.#prepared.promise.catch(() => {});
    this.#members = new Members({ dispatcherId, credentials, clock, limits, logger, metrics });
    this.#resend = createResend({
      members: this.#members,
      operations: options.domains.flatMap(({ operations }) => operations),
      timeoutMs: options.parking?.parkAfterMs ?? 0,
      clock,
      metrics,
    });
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
   * Binds the join server and the HTTP server, follows the directory and begins to resend parked writes. Resolves
   * to the addresses bound. Rejects when a port is taken.
   */
  start(): Promise<{ readonly http: string; readonly join: string }> {
    const start = this.#start();
    this.#starting = start;
    return start;
  }

  /**
   * Resolves when what parking needs was reached, or the dispatcher stops; workers and clients are served meanwhile.
   * Rejects with what waiting does not mend: a store refuses as it is configured.
   */
  async prepared(): Promise<void> {
    await this.#prepared.promise;
  }

  /**
   * Serves the administrator's routes for parked writes, which ask for no credentials: bind them to loopback.
   * Resolves to the URL. Call it once, after the start; rejects when the port is taken.
   */
  async serveAdmin({ host, port }: { readonly host: string; readonly port: number }): Promise<string> {
    const parking = this.#parking;
    if (parking === undefined) throw new Error('this dispatcher parks no writes, or has not started');
    const { clock, logger } = this.#options;
    const { discard } = this.#resend;
    this.#adminServer = createAdminServer({ parking, discard, clock, logger });
    const listening = this.#adminServer.listen({ host, port });
    this.#adminListening = listening;
    return listening;
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
   * Stops: takes no new connections, answers what it has accepted, ends resending, then its links; after the
   * deadline, in ms, it stops all the same. Calling it again waits for the first call.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#drain(deadlineMs);
    return this.#stopping;
  }

  async #start(): Promise<{ readonly http: string; readonly join: string }> {
    const { joinHost, joinPort, serverCredentials, httpHost, httpPort } = this.#options;
    const parking = this.#options.parking?.create(this.#resend.send);
    this.#parking = parking;
    parking?.start();
    void this.#prepare();
    const dispatch = this.#dispatch(parking);
    this.#server = await createHttpServer({ ...this.#options, dispatch, parking });
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

  async #drain(deadlineMs: number): Promise<void> {
    const { clock, directory, logger } = this.#options;
    const deadline = clock.monotonic() + deadlineMs;
    // A server that is closed while it begins to listen listens for ever.
    if (this.lifecycle.state === 'STARTING') await Promise.allSettled([this.#starting]);
    this.lifecycle.enter('DRAINING');
    await Promise.allSettled([this.#adminListening]);
    this.#wait?.end();
    this.#prepared.resolve(undefined);
    this.#stopWatching();
    const servers = [this.#server?.http, this.#adminServer].filter((server) => server !== undefined);
    const answered = Promise.all(servers.map((server) => server.close()));
    if (!(await this.#by(deadline, answered))) logger.warn('stopped before all requests were answered');
    for (const { server } of servers) server.closeAllConnections();
    // Behind the last request, which may have been parked; before the links, which resends need.
    const settled = Promise.resolve(this.#parking?.stop());
    if (!(await this.#by(deadline, settled))) logger.warn('stopped before all resends were over');
    this.#members.close('the dispatcher stops');
    this.#joinServer.forceShutdown();
    await directory.close();
    this.lifecycle.enter('STOPPED');
  }

  async #prepare(): Promise<void> {
    const { parking, clock, logger } = this.#options;
    const { titles, reach } = parking?.needs?.() ?? { reach: {} };
    this.#wait = new ServiceWait({ clock, logger, titles });
    try {
      await this.#wait.forAll(reach);
      this.#prepared.resolve(undefined);
    } catch (error) {
      this.#prepared.reject(error);
    }
  }

  /** Whether something is done by the deadline, on the monotonic clock in ms. */
  async #by(deadline: number, done: Promise<unknown>): Promise<boolean> {
    const { clock } = this.#options;
    const giveUp = new AbortController();
    const late = pause(clock, Math.max(0, deadline - clock.monotonic()), giveUp.signal).then(() => false);
    const inTime = await Promise.race([done.then(() => true), late]);
    giveUp.abort();
    return inTime;
  }

  /** A worker that was discovered and has not joined by itself meanwhile, because this dispatcher is new, say. */
  #dialDiscovered(record: MemberRecord): void {
    const isWanted = this.#discovered.delete(record.uid);
    if (isWanted && !this.#members.has(record.uid) && this.#isServing())
      this.#members.admit(record, undefined);
  }

  #dispatch(parking: Parking | undefined): Dispatch {
    const { clock, logger, metrics } = this.#options;
    const parkAfterMs = this.#options.parking?.parkAfterMs;
    const use = parking && parkAfterMs !== undefined ? { parking, parkAfterMs } : undefined;
    return createDispatch({ members: this.#members, parking: use, clock, logger, metrics });
  }

  #isServing(): boolean {
    return this.lifecycle.state === 'JOINING' || this.lifecycle.state === 'READY';
  }

  #followMembers(): void {
    if (this.#isServing()) this.lifecycle.enter(this.#members.usable() > 0 ? 'READY' : 'JOINING');
  }
}
