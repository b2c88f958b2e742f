import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import { deadline } from './deadline.ts';
import {
  certificateFailure,
  closedFailure,
  Failure,
  failureOf,
  textOf,
  tlsFailure,
  type Where,
} from './failure.ts';
import { type Address, addressName, type DialOptions } from './options.ts';
import { answersWithoutTls, asksForCertificate, speaksTls } from './tls-probe.ts';

/** A connection that is not there by then is given up, in ms. */
const DIAL_MS = 2_000;
/** A TLS handshake that takes longer may be one with a server that has never heard of TLS. */
const HANDSHAKE_MS = 300;

export interface Dial extends Pick<DialOptions, 'tls' | 'login' | 'settings'> {
  /** 3 lets a connection that is subscribed do other things as well; Sentinels are spoken to by 2. */
  readonly protocol: 2 | 3;
  readonly signal: AbortSignal;
}

/**
 * Opens one connection and logs in. The client never reconnects, keeps no command for later and sends none twice: what
 * it is connected to stays the same server. Rejects with a Failure.
 */
export async function dial(address: Address, options: Dial): Promise<Redis> {
  const { settings, signal, tls } = options;
  const where: Where = { server: addressName(address), settings };
  const client = newClient(address, options);
  // The first error says more than that the connection is closed, which is what `connect` rejects with.
  let cause: unknown;
  client.on('error', (error: unknown) => (cause ??= error));
  const giveUp = (failure: Failure): void => {
    cause = failure;
    client.disconnect();
  };
  const cancels = [
    onAbort(signal, () => giveUp(closedFailure())),
    deadline(DIAL_MS, () => {
      giveUp(new Failure('unavailable', `${where.server} does not answer: see ${settings.address}`));
    }),
  ];
  if (tls !== undefined) {
    const probe = async (): Promise<void> => {
      if (await answersWithoutTls(address)) giveUp(tlsFailure(where, true));
    };
    cancels.push(deadline(HANDSHAKE_MS, () => void probe()));
  }
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    const wasReached = cause === undefined || (!(cause instanceof Failure) && !isOfConnecting(cause));
    const failure = failureOf(cause ?? error, where);
    if (!wasReached || failure.kind !== 'unavailable') throw failure;
    throw (await unspoken(address, where, tls !== undefined)) ?? failure;
  } finally {
    for (const cancel of cancels) cancel();
  }
}

/** What the server has against us that it did not say before it closed the connection. */
async function unspoken(address: Address, where: Where, isTls: boolean): Promise<Failure | undefined> {
  if (!isTls) return (await speaksTls(address)) ? tlsFailure(where, false) : undefined;
  return (await asksForCertificate(address)) ? certificateFailure(where) : undefined;
}

/** Whether there was nobody to be spoken to. */
function isOfConnecting(cause: unknown): boolean {
  return /^(connect|getaddrinfo)$/.test(textOf(cause, 'syscall') ?? '');
}

function onAbort(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) act();
  signal.addEventListener('abort', act);
  return () => signal.removeEventListener('abort', act);
}

function newClient({ host, port }: Address, { tls, login, protocol }: Dial): Redis {
  return new Redis({
    host,
    port,
    protocol,
    ...(tls && {
      tls: { ...(tls.ca && { ca: tls.ca }), ...(isIP(host) === 0 && { servername: host }) },
    }),
    ...(login && {
      password: login.password,
      ...(login.username && { username: login.username }),
    }),
    connectionName: 'mini-platform',
    disableClientInfo: true,
    lazyConnect: true,
    retryStrategy: () => null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // What is in flight is given up with the connection: nothing is waited for.
    disconnectTimeout: 1,
  });
}
