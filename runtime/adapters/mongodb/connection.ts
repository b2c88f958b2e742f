import { type Db, MongoClient } from 'mongodb';
import { PortError } from '../../ports/port-error.ts';
import { guardHeartbeats } from './heartbeat-guard.ts';
import { clientOptions, type MongoOptions } from './options.ts';
import { type ServiceAddress, toPortError, unreadableUri } from './service-error.ts';
import { ServiceWatch } from './service-watch.ts';

/** A client of the driver, from its making until it is closed or replaced. */
interface Made {
  readonly client: MongoClient;
  /** Once it has connected. */
  database: Db | undefined;
  /** While it connects. */
  opening: Promise<Db> | undefined;
  /** Ends what listens to it. */
  readonly forget: () => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
const CONNECT = 'document-store.connect';

/** After what time, in ms, the driver is stuck. */
export interface StuckAfter {
  /** A check of a server takes less: to connect and shake hands, or to wait for news and for the answer to that. */
  readonly checkMs: number;
  /** The driver bounds all its waits: a call that is not settled so long after its deadline never will be. */
  readonly callMs: number;
}

const STUCK_AFTER: StuckAfter = { checkMs: 5_000, callMs: 30_000 };

/**
 * The connection to MongoDB: made at the first call, and tried again for ever while that fails; from then on the driver
 * keeps it, through losses and failovers. A client of the driver that is stuck is replaced.
 */
export class MongoConnection {
  readonly #options: MongoOptions;
  readonly #stuckAfter: StuckAfter;
  readonly #watch: ServiceWatch;
  /** Errors that the observer has been told of: many calls may wait for one try. */
  readonly #told = new WeakSet<PortError>();
  #made: Made | undefined;
  #address: ServiceAddress | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #nextTry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: MongoOptions, stuckAfter = STUCK_AFTER) {
    this.#options = options;
    this.#stuckAfter = stuckAfter;
    this.#watch = new ServiceWatch(options.observer);
  }

  /** Rejects with `closed` after `close`. */
  assertOpen(call: string): void {
    if (this.#closed) throw new PortError('closed', call, 'the store has been closed');
  }

  /**
   * Works with the database. Rejects with a PortError, with `timeout` after the deadline, in ms; what was sent by then
   * may take effect.
   */
  async run<T>(call: string, deadlineMs: number, work: (database: Db) => Promise<T>): Promise<T> {
    this.assertOpen(call);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const made = this.#made;
    let timer = setTimeout(() => {
      timer = setTimeout(() => this.#replace(made), this.#stuckAfter.callMs).unref();
      reject(
        new PortError(
          'timeout',
          call,
          `MongoDB at ${this.#address?.hosts ?? ''} took more than ${deadlineMs} ms`,
        ),
      );
    }, deadlineMs);
    const working = this.#work(call, work).finally(() => clearTimeout(timer));
    return Promise.race([working, late]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#nextTry);
    this.#made?.forget();
    await this.#made?.client.close();
  }

  async #work<T>(call: string, work: (database: Db) => Promise<T>): Promise<T> {
    try {
      const result = await work(this.#made?.database ?? (await this.#database(call)));
      if (!this.#closed) this.#watch.answered();
      return result;
    } catch (error) {
      const explained = this.#explain(call, error);
      if (explained instanceof PortError && explained.kind === 'refused') this.#tell(explained);
      throw explained;
    }
  }

  async #database(call: string): Promise<Db> {
    const made = (this.#made ??= this.#make(call));
    return made.database ?? (made.opening ??= this.#open(call, made));
  }

  /** The driver takes up nothing of a `connect` that failed: without another one, no call would ever be answered. */
  async #open(call: string, made: Made): Promise<Db> {
    try {
      await made.client.connect();
      this.assertOpen(call);
    } catch (error) {
      const explained = this.#explain(call, error);
      if (this.#closed) await made.client.close();
      else if (made === this.#made) this.#tryAgain(explained);
      throw explained;
    } finally {
      made.opening = undefined;
    }
    made.database = made.client.db(this.#options.database);
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#address !== undefined) this.#address = { ...this.#address, mayLackTls: false };
    // A call tells of its own answer; to connect proves less, where nobody logs in.
    if (call === CONNECT) this.#watch.answered();
    return made.database;
  }

  /** Also without a call: whoever sends none while the service is away would wait for ever. */
  #tryAgain(error: unknown): void {
    if (error instanceof PortError) this.#tell(error);
    clearTimeout(this.#nextTry);
    this.#nextTry = setTimeout(() => this.#connectAnew(), this.#pauseMs).unref();
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }

  #connectAnew(): void {
    // Failing, it has told the observer and will be tried again.
    if (!this.#closed) this.#database(CONNECT).catch(() => {});
  }

  /** Calls that wait for the old client end with `unavailable`, those that come now use a new one. */
  #replace(made: Made | undefined): void {
    if (this.#closed || made === undefined || made !== this.#made) return;
    this.#made = undefined;
    made.forget();
    this.#tell(
      new PortError(
        'unavailable',
        CONNECT,
        `a connection to ${this.#address?.hosts ?? ''} is stuck: all are made anew`,
      ),
    );
    made.client.close().catch(() => {});
    this.#connectAnew();
  }

  #make(call: string): Made {
    const { uri, database } = this.#options;
    let client: MongoClient;
    try {
      client = new MongoClient(uri, clientOptions(this.#options));
    } catch {
      throw unreadableUri(call);
    }
    const { srvHost, hosts, credentials, tls } = client.options;
    this.#address ??= {
      hosts: srvHost ?? hosts.join(','),
      database,
      hasCredentials: credentials !== undefined,
      mayLackTls: !tls,
    };
    const endWatch = this.#watch.follow(client, (error) => {
      const explained = this.#explain(CONNECT, error);
      return explained instanceof PortError
        ? explained
        : new PortError('unavailable', CONNECT, String(explained));
    });
    const endGuard = guardHeartbeats(client, this.#stuckAfter.checkMs, () => this.#replace(made));
    const forget = (): void => {
      endWatch();
      endGuard();
    };
    const made: Made = { client, database: undefined, opening: undefined, forget };
    return made;
  }

  #tell(error: PortError): void {
    if (this.#closed || this.#told.has(error)) return;
    this.#told.add(error);
    this.#watch.failed(error);
  }

  #explain(call: string, error: unknown): unknown {
    return this.#address === undefined ? error : toPortError(call, error, this.#address);
  }
}
