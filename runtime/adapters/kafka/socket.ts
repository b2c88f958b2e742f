import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { away, closed, refused } from './failure.ts';
import type { KafkaFailure } from './failure.ts';

/** Where a broker listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How a connection is secured. `ca`: PEM; undefined trusts the well-known authorities. */
export interface TlsOptions {
  readonly ca?: string;
}

/** The broker closed the connection, and did not say why. */
export const HUNG_UP = 'the broker closed the connection';

/** Reads `host:port`; the host may be an IPv6 address in brackets. */
export function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(text.slice(colon + 1)) };
}

/** `host:port`, as it is written in the YAML. */
export function showAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** How long opening may take, in ms, and until when anybody wants it. */
export interface OpenBounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A connected socket, TLS agreed where asked for. Rejects with a failure, also when a bound is reached. */
export function openSocket(
  address: Address,
  tls: TlsOptions | undefined,
  { timeoutMs, signal }: OpenBounds,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port } = address;
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket =
      tls === undefined
        ? connect({ host, port, noDelay: true, keepAlive: true })
        : connectTls({ host, port, ...name, ...(tls.ca === undefined ? {} : { ca: tls.ca }) });
    const onAbort = (): void => fail(closed());
    const fail = (failure: KafkaFailure): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(failure);
    };
    const timer = setTimeout(() => {
      fail(away(`${showAddress(address)} did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const onError = (error: NodeJS.ErrnoException): void => fail(failureOfSocket(error, address));
    const onClose = (): void => fail(away(`${showAddress(address)}: ${HUNG_UP}`));
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    socket.on('error', onError);
    socket.once('close', onClose);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      socket.off('close', onClose);
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
      resolve(socket);
    });
  });
}

/** What a socket's error means. */
export function failureOfSocket(error: NodeJS.ErrnoException, address: Address): KafkaFailure {
  const where = showAddress(address);
  const code = error.code ?? error.message;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return away(`the host of ${where} cannot be found (${code}): check spec.kafka.brokers`);
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') return away(`${where}: ${HUNG_UP}`);
  return failureOfTls(code, where) ?? away(`${where} cannot be reached (${code})`);
}

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

function failureOfTls(code: string, where: string): KafkaFailure | undefined {
  if (UNTRUSTED.has(code)) {
    return refused(
      `the certificate of ${where} is not trusted (${code}): put the certificate of the authority that signed it into spec.kafka.caSecret`,
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return refused(
      `the certificate of ${where} is for another host: name in spec.kafka.brokers a host that the certificate names`,
    );
  }
  if (code.startsWith('CERT_'))
    return refused(`the certificate of ${where} is not valid (${code}): renew it`);
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') {
    return refused(
      `${where} and this client do not agree on TLS (${code}): check spec.kafka.tls and the listener`,
    );
  }
  return undefined;
}

/** The broker speaks TLS and was not asked to, or the reverse. */
export function tlsMismatch(address: Address, usesTls: boolean): KafkaFailure {
  const where = showAddress(address);
  return usesTls
    ? refused(
        `${where} does not speak TLS: set spec.kafka.tls to false, or name a TLS listener in spec.kafka.brokers`,
      )
    : refused(
        `${where} speaks TLS: set spec.kafka.tls to true, or name a plain listener in spec.kafka.brokers`,
      );
}
