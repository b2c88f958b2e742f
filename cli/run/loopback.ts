import { SetupError } from '../../runtime/compose/setup-error.ts';

const LOOPBACK = ['127.0.0.1', 'localhost'];

/**
 * Throws a SetupError unless an address is on loopback: join and link have no credentials and no encryption yet, so
 * that whoever reaches them may be a worker, or a dispatcher.
 */
export function requireLoopback(field: string, host: string): void {
  if (LOOPBACK.includes(host)) return;
  throw new SetupError(
    `${field}: must be ${LOOPBACK.join(' or ')}, but is "${host}": join and link have no TLS yet, so dispatchers and ` +
      'workers have to run on one machine.',
  );
}

/** The host of an address, `host:port`. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}
