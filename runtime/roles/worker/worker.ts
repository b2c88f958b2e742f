import { randomUUID } from 'node:crypto';
import { type ChannelCredentials, Server, type ServerCredentials } from '@grpc/grpc-js';
import { type Clock, pause } from '../../clock.ts';
import type { Domain, DomainPorts, ServedOperation } from '../../domain-kit/domain.ts';
import { failed } from '../../domain-kit/outcome.ts';
import { toWire } from '../../domain-kit/outcome-wire.ts';
import { Lifecycle, type Readiness } from '../../lifecycle.ts';
import { LinkServer } from '../../link/link-server.ts';
import type { IncomingOperation } from '../../link/link-session.ts';
import { grpcOptions, type LinkLimits } from '../../link/protocol.ts';
import { bindServer } from '../../link/grpc-bind.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import type { DispatcherDirectory } from '../../ports/membership.ts';
import type { Subscription } from '../../ports/event-log.ts';
import { ServiceWait, type StoreTitles } from '../../service-wait.ts';
import { startBackground } from './background-runner.ts';
import { DispatcherLinks } from './dispatcher-links.ts';
import { flowsOf, type RunnableFlow, startFlow } from './flow-runner.ts';
import { Joiner } from './joiner.ts';
import { OperationQueue } from './operation-queue.ts';
import { Publishing } from './publishing/publishing.ts';

export interface WorkerOptions {
  readonly uid: string;
  readonly domains: readonly Domain[];
  readonly ports: Pick<DomainPorts, 'events' | 'documents' | 'log' | 'cache'>;
  /** What they are called where people read it. */
  readonly titles?: StoreTitles;
  readonly directory: DispatcherDirectory;
  /** Address to bind the link server to; the port is the system's choice when it is 0. */
  readonly host: string;
  readonly port: number;
  readonly serverCredentials: ServerCredentials;
  readonly channelCredentials: ChannelCredentials;
  readonly limits: LinkLimits;
  /** Bytes of requests in one batch (256 KiB); a larger one goes alone. */
  readonly maxBatchBytes?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Requests of one batch: below the 1 MB that a Kafka batch holds, with room for what storing adds. */
const MAX_BATCH_BYTES = 256 * 1024;

/** The role that does the work: joins dispatchers and serves the domains' operations on the stores. */
export class Worker {
  readonly lifecycle = new Lifecycle();
  readonly #options: WorkerOptions;
  readonly #bootId = randomUUID();
  readonly #server: Server;
  readonly #linkServer: LinkServer;
  readonly #links: DispatcherLinks;
  readonly #joiners = new Map<string, Joiner>();
  readonly #queues = new Map<string, OperationQueue>();
  /** Undefined where storing and publishing is one step. */
  readonly #publishing: Publishing | undefined;
  readonly #wait: ServiceWait;
  readonly #flows: Subscription[] = [];
  #stopBackground: readonly (() => Promise<void>)[] = [];
  #stopWatching = (): void => {};
  #joined = false;
  #refusal = 'no dispatcher is known yet';
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#links = new DispatcherLinks(options.clock);
    this.#wait = new ServiceWait(options);
    this.#server = new Server(grpcOptions(options.limits));
    this.#publishing = this.#createPublishing();
    for (const served of this.#serve()) this.#addQueue(served);
    this.#linkServer = new LinkServer({
      clock: options.clock,
      limits: options.limits,
      host: {
        uid: options.uid,
        bootId: this.#bootId,
        operations: [...this.#queues.keys()],
        refusal: () => (this.#joined ? undefined : 'this start of the worker has not joined yet'),
        submit: (operation) => this.#submit(operation),
      },
      listener: {
        onOpened: (dispatcherId) => this.#linkOpened(dispatcherId),
        onClosed: (dispatcherId, reason) => this.#linkClosed(dispatcherId, reason),
        onRefused: (reason) => options.logger.debug({ reason }, 'a link was refused'),
      },
    });
    this.#linkServer.register(this.#server);
  }

  /**
   * Binds the link server, makes what the domains need, and begins to join; resolves then, or when it is stopped
   * meanwhile. While a store is away it waits, and its readiness says for which. Rejects when it must not run: the
   * port is taken, or a store refuses as it is configured.
   */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  readiness(): Readiness {
    const { state } = this.lifecycle;
    const ready = state === 'READY';
    const reason = this.#wait.reason ?? this.#refusal;
    return { role: 'worker', state, ready, ...(ready ? {} : { reason }) };
  }

  /** Resolves when the worker is joined to a dispatcher, or stops. */
  async ready(): Promise<void> {
    await new Promise<void>((resolve) =>
      this.lifecycle.watch((state) => {
        if (state === 'READY' || state === 'STOPPED') resolve();
      }),
    );
  }

  /**
   * Leaves: tells the dispatchers, answers what is in flight, then stops; after the deadline, in ms, it stops
   * all the same. Calling it again waits for the first call.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#drain(deadlineMs);
    return this.#stopping;
  }

  async #drain(deadlineMs: number): Promise<void> {
    const { clock, logger, directory } = this.#options;
    this.#refusal = 'leaving';
    this.#wait.end();
    if (this.lifecycle.allows('DRAINING')) this.lifecycle.enter('DRAINING');
    this.#stopWatching();
    this.#linkServer.leave();
    const quiet = this.#quiet();
    const giveUp = new AbortController();
    const inTime = await Promise.race([
      quiet.then(() => true),
      pause(clock, deadlineMs, giveUp.signal).then(() => false),
    ]);
    giveUp.abort();
    if (!inTime) logger.warn({ inFlight: this.#linkServer.inFlight }, 'stopped before all work was done');
    this.#publishing?.close();
    this.#linkServer.close('the worker stops');
    this.#server.forceShutdown();
    await directory.close();
    this.lifecycle.enter('STOPPED');
  }

  /** Resolves when what was begun is over. */
  async #quiet(): Promise<void> {
    // What is started last is there to be ended then.
    await Promise.allSettled([this.#starting]);
    await Promise.all([
      this.#linkServer.ended(),
      ...this.#flows.map((flow) => flow.close()),
      ...this.#stopBackground.map((stop) => stop()),
      ...[...this.#joiners.values()].map((joiner) => joiner.stop()),
    ]);
    await this.#publishing?.finish();
  }

  async #start(): Promise<void> {
    const { host, port, serverCredentials, directory } = this.#options;
    try {
      const bound = await bindServer(this.#server, `${host}:${port}`, serverCredentials);
      await this.#prepare();
      if (this.#wait.isOver) return;
      this.#startBackground();
      this.lifecycle.enter('JOINING');
      this.#stopWatching = directory.watch((addresses) => this.#follow(addresses, bound));
    } catch (error) {
      if (this.#wait.isOver) return;
      this.#wait.end();
      this.#refusal = error instanceof Error ? error.message : String(error);
      this.lifecycle.enter('STOPPED');
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    const { domains, ports } = this.#options;
    const collections = domains.flatMap((domain) => domain.collections);
    const publishing = this.#publishing;
    // At once: who refuses is told of while another one is still away.
    await this.#wait.forAll({
      cache: () => ports.cache.check(),
      documents: () =>
        ports.documents.ensureCollections([...collections, ...(publishing?.collections() ?? [])]),
      log: () => ports.log.ensureTopics(domains.flatMap((domain) => domain.topics)),
    });
    if (publishing !== undefined) await this.#wait.for('documents', () => publishing.start());
    for (const flow of flowsOf(domains, (domain) => this.#portsOf(domain))) await this.#startFlow(flow);
  }

  async #startFlow(flow: RunnableFlow): Promise<void> {
    const { ports, logger } = this.#options;
    const subscription = await this.#wait.for('log', () => startFlow(flow, ports.log, logger));
    if (subscription !== undefined) this.#flows.push(subscription);
  }

  #startBackground(): void {
    const { domains, ports, uid, clock, logger } = this.#options;
    const tasks = domains.flatMap((domain) => domain.background?.(this.#portsOf(domain)) ?? []);
    if (this.#publishing !== undefined) tasks.push(this.#publishing.task);
    this.#stopBackground = tasks.map((task) =>
      startBackground({ task, owner: `${uid}/${this.#bootId}`, cache: ports.cache, clock, logger }),
    );
  }

  #serve(): readonly ServedOperation[] {
    return this.#options.domains.flatMap((domain) => domain.serve(this.#portsOf(domain)));
  }

  #portsOf(domain: Domain): DomainPorts {
    const { ports, clock, logger } = this.#options;
    const publications = this.#publishing?.publications;
    const domainLogger = logger.child({ domain: domain.name });
    return { ...ports, clock, bootId: this.#bootId, publications, logger: domainLogger };
  }

  #createPublishing(): Publishing | undefined {
    const { ports, clock, logger, metrics } = this.#options;
    const { events, documents, log } = ports;
    if (events.atomic) return undefined;
    return new Publishing({ bootId: this.#bootId, documents, log, clock, logger, metrics });
  }

  #addQueue(served: ServedOperation): void {
    const { clock, logger, metrics, limits } = this.#options;
    const { name } = served.operation;
    if (this.#queues.has(name)) throw new Error(`two domains serve ${name}`);
    const queue = new OperationQueue({
      served,
      clock,
      logger,
      metrics,
      maxWaiting: limits.window * 2,
      maxBatchBytes: this.#options.maxBatchBytes ?? MAX_BATCH_BYTES,
    });
    this.#queues.set(name, queue);
  }

  #submit(operation: IncomingOperation): void {
    const queue = this.#queues.get(operation.name);
    if (queue === undefined) {
      operation.settle(toWire(failed('UNKNOWN_OPERATION', `${operation.name} is not served here`, false)));
    } else {
      queue.submit(operation);
    }
  }

  /** Joins every dispatcher that there is, and none that is gone. */
  #follow(addresses: readonly string[], port: number): void {
    for (const [address, joiner] of this.#joiners) {
      if (addresses.includes(address)) continue;
      this.#joiners.delete(address);
      void joiner.stop();
    }
    for (const address of addresses) {
      if (!this.#joiners.has(address)) this.#joiners.set(address, this.#joiner(address, port));
    }
  }

  #joiner(address: string, port: number): Joiner {
    const { directory, clock, logger, channelCredentials } = this.#options;
    return new Joiner({
      address,
      port,
      credentials: channelCredentials,
      directory,
      bootId: this.#bootId,
      links: this.#links,
      clock,
      logger,
      onJoined: () => {
        this.#joined = true;
      },
      onRefused: (reason) => {
        this.#refusal = reason;
      },
    });
  }

  #linkOpened(dispatcherId: string): void {
    this.#links.add(dispatcherId);
    this.#options.metrics.workerLinks.inc();
    if (this.lifecycle.allows('READY')) this.lifecycle.enter('READY');
  }

  #linkClosed(dispatcherId: string, reason: string): void {
    this.#links.remove(dispatcherId);
    this.#options.metrics.workerLinks.dec();
    this.#options.logger.debug({ dispatcherId, reason }, 'a link ended');
    if (this.#links.count > 0 || !this.lifecycle.allows('JOINING')) return;
    this.#refusal = `the last link is lost: ${reason}`;
    this.lifecycle.enter('JOINING');
  }
}
