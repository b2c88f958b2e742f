import { type Db, MongoClient } from 'mongodb';
import { PortError } from '../../ports/port-error.ts';
import { clientOptions, type MongoOptions } from './options.ts';
import { type ServiceAddress, toPortError, unreadableUri } from './service-error.ts';
import { ServiceWatch } from './service-watch.ts';

/** The driver's client, and what errors may say of where it connects to. */
interface Made {
  readonly client: MongoClient;
  address: ServiceAddress;
}

/**
 * The connection to MongoDB: made at the first call, and again at the next one as long as that fails; from then on the
 * driver keeps it, through losses and failovers.
 */
export class MongoConnection {
  readonly #options: MongoOptions;
  readonly #watch: ServiceWatch;
  #made: Made | undefined;
  #connecting: Promise<void> | undefined;
  #database: Db | undefined;
  #closed = false;

  constructor(options: MongoOptions) {
    this.#options = options;
    this.#watch = new ServiceWatch(options.observer);
  }

  /** Rejects with `closed` after `close`. */
  assertOpen(call: string): void {
    if (this.#closed) throw new PortError('closed', call, 'the store has been closed');
  }

  /**
   * Works with the database. Rejects with a PortError, with `timeout` after the deadline, in ms; what was sent by then
   * may take effect, and nothing that waits to be sent is sent much later.
   */
  async run<T>(call: string, deadlineMs: number, work: (database: Db) => Promise<T>): Promise<T> {
    this.assertOpen(call);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `MongoDB at ${this.#made?.address.hosts ?? ''} did not answer within ${deadlineMs} ms`;
      timer = setTimeout(() => reject(new PortError('timeout', call, message)), deadlineMs);
    });
    try {
      return await Promise.race([this.#work(call, work), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#database = undefined;
    await this.#made?.client.close();
  }

  async #work<T>(call: string, work: (database: Db) => Promise<T>): Promise<T> {
    try {
      const result = await work(this.#database ?? (await this.#connect(call)));
      if (!this.#closed) this.#watch.answered();
      return result;
    } catch (error) {
      const told = this.#explain(call, error);
      if (!this.#closed && told instanceof PortError && told.kind === 'refused') this.#watch.failed(told);
      throw told;
    }
  }

  async #connect(call: string): Promise<Db> {
    const made = (this.#made ??= this.#make(call));
    this.#connecting ??= this.#open(call, made).finally(() => (this.#connecting = undefined));
    await this.#connecting;
    return (this.#database ??= made.client.db(this.#options.database));
  }

  /** The driver's `connect` takes up nothing of one that failed, and the calls that follow would not try it again. */
  async #open(call: string, made: Made): Promise<void> {
    try {
      await made.client.connect();
      made.address = { ...made.address, mayLackTls: false };
    } catch (error) {
      const told = this.#explain(call, error);
      const isTold = told instanceof PortError && told.kind !== 'refused';
      if (!this.#closed && isTold) this.#watch.failed(told);
      throw told;
    }
    if (!this.#closed) return;
    await made.client.close();
    this.assertOpen(call);
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
    const address = {
      hosts: srvHost ?? hosts.join(','),
      database,
      hasCredentials: credentials !== undefined,
      mayLackTls: !tls,
    };
    const made: Made = { client, address };
    this.#watch.follow(client, (error) => {
      const told = toPortError('document-store', error, made.address);
      return told instanceof PortError ? told : new PortError('unavailable', 'document-store', String(told));
    });
    return made;
  }

  #explain(call: string, error: unknown): unknown {
    return this.#made === undefined ? error : toPortError(call, error, this.#made.address);
  }
}
