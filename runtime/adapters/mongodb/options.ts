import type { MongoClientOptions, ReadConcernLike, WriteConcernSettings } from 'mongodb';
import type { ServiceObserver } from '../../ports/service-observer.ts';

/** How to reach a MongoDB; plain values, already read from wherever they are kept. */
export interface MongoOptions {
  /**
   * `mongodb://...` or `mongodb+srv://...`, with its credentials. What it says of write concern, read concern, read
   * preference and time-outs has no effect: writes are always acknowledged by a majority, from its journal.
   */
  readonly uri: string;
  readonly database: string;
  /** PEM text of the authorities that the server's certificate is checked against; implies TLS. */
  readonly ca?: string;
  /** By what name the server's logs call this process. */
  readonly appName: string;
  readonly observer: ServiceObserver;
}

/** A call on the request path rejects after this long: before the port guard's 4 s, so that its message says why. */
export const CALL_DEADLINE_MS = 3_500;
/** So may a call that creates collections and indexes, which reads every document there is. */
export const ADMIN_DEADLINE_MS = 120_000;
/** How long a server may take over one command of the request path, the wait for the majority included. */
export const COMMAND_MS = 3_000;
/** The server then says itself that the majority has not acknowledged; else the connection would be given up. */
const MAJORITY_WAIT_MS = 2_500;
const MAX_APP_NAME_BYTES = 128;

/** What makes a write durable: a majority of the replica set has it in its journal. */
export const DURABLE: WriteConcernSettings = { w: 'majority', journal: true, wtimeoutMS: MAJORITY_WAIT_MS };

/** Nothing is read that a failover could take back. */
export const CERTAIN: ReadConcernLike = { level: 'majority' };

/**
 * The driver's options; they win over those of the URI. Every wait has a bound, also those of calls that were given
 * up already: choosing a server, waiting for a free connection, connecting, and each command.
 */
export function clientOptions({ ca, appName }: Pick<MongoOptions, 'ca' | 'appName'>): MongoClientOptions {
  return {
    appName: Buffer.from(appName).subarray(0, MAX_APP_NAME_BYTES).toString(),
    ...(ca === undefined ? {} : { tls: true, ca }),
    serverSelectionTimeoutMS: 2_000,
    waitQueueTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    socketTimeoutMS: COMMAND_MS,
    heartbeatFrequencyMS: 2_000,
    maxPoolSize: 32,
    // As JSON has it: a field without a value is none.
    ignoreUndefined: true,
  };
}
