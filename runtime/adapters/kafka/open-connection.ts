import { KafkaConnection } from './connection.ts';
import { CODES } from './error-codes.ts';
import { away, closed, failureOf, isRetriable, refused } from './failure.ts';
import type { KafkaFailure } from './failure.ts';
import { login } from './login.ts';
import type { SaslOptions } from './login.ts';
import { apiVersions, saslHandshake } from './requests.ts';
import type { ApiVersions } from './requests.ts';
import { openSocket, showAddress, tlsMismatch } from './socket.ts';
import type { Address, TlsOptions } from './socket.ts';

/** How to connect. */
export interface ConnectionOptions {
  readonly clientId: string;
  readonly tls: TlsOptions | undefined;
  readonly sasl: SaslOptions | undefined;
  /** For each step of connecting, in ms. */
  readonly connectTimeoutMs: number;
  /** Aborts when nobody wants a connection any more. */
  readonly signal: AbortSignal;
}

/**
 * A connection that is ready for requests. Rejects with a failure; where the broker hangs up without a word, it is
 * tried whether the settings of TLS or login are at fault, so that the failure says so.
 */
export async function openConnection(address: Address, options: ConnectionOptions): Promise<KafkaConnection> {
  try {
    const connection = await greet(address, options);
    try {
      if (options.sasl !== undefined) await login(connection, options.sasl, options.connectTimeoutMs);
      return connection;
    } catch (error) {
      connection.end(away('the login failed'));
      throw error;
    }
  } catch (error) {
    if (!isRetriable(error) || options.signal.aborted) throw error;
    throw (await diagnoseTls(address, options)) ?? error;
  }
}

/** Why a broker hung up at the first request after a connection without login was made; undefined: not for that. */
export async function diagnoseLogin(
  address: Address,
  options: ConnectionOptions,
): Promise<KafkaFailure | undefined> {
  try {
    const connection = await greet(address, options);
    const { errorCode } = await connection.send(saslHandshake('PLAIN'), options.connectTimeoutMs);
    connection.end(away('it was only a question'));
    if (errorCode === CODES.illegalSaslState) return undefined;
    return refused(
      `${showAddress(address)} asks for a login: name user and password in spec.kafka.authSecret, and how in spec.kafka.saslMechanism`,
    );
  } catch {
    return undefined;
  }
}

/** Connects and asks what the broker speaks. */
async function greet(address: Address, options: ConnectionOptions): Promise<KafkaConnection> {
  const { clientId, tls, connectTimeoutMs, signal } = options;
  const socket = await openSocket(address, tls, { timeoutMs: connectTimeoutMs, signal });
  const connection = new KafkaConnection(socket, address, clientId);
  const onAbort = (): void => connection.end(closed());
  signal.addEventListener('abort', onAbort);
  try {
    connection.versions = await askVersions(connection, connectTimeoutMs);
    return connection;
  } catch (error) {
    connection.end(away('no greeting'));
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function askVersions(connection: KafkaConnection, timeoutMs: number): Promise<ApiVersions> {
  const { errorCode, apiVersions: versions } = await connection.send(apiVersions, timeoutMs);
  if (errorCode !== 0) throw failureOf(errorCode, showAddress(connection.address));
  return Object.fromEntries(
    versions.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { minVersion, maxVersion }]),
  );
}

/** Whether the broker would answer were TLS the other way round. */
async function diagnoseTls(address: Address, options: ConnectionOptions): Promise<KafkaFailure | undefined> {
  const usesTls = options.tls !== undefined;
  const tls = usesTls ? undefined : {};
  try {
    const connection = await greet(address, { ...options, tls });
    connection.end(away('it was only a question'));
    return tlsMismatch(address, usesTls);
  } catch (error) {
    // A certificate that is not trusted here is a certificate all the same.
    const speaksTls = !usesTls && error instanceof Error && error.message.includes('certificate');
    return speaksTls ? tlsMismatch(address, usesTls) : undefined;
  }
}
