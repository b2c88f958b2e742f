/**
 * Why a call to a port failed.
 * - `unavailable`: the service could not be reached or did not answer; whether the call took effect is unknown.
 * - `timeout`: no answer before the call's deadline; whether it took effect is unknown.
 * - `invalid`: the service refused the content (too large, malformed); nothing took effect, and the same
 *   content will be refused again. A batch refused so may be bisected down to the item at fault.
 * - `refused`: the service is there and does not serve this platform as it is configured: wrong credentials, a missing
 *   permission, a TLS mismatch, settings that would lose data. Nothing took effect, and nothing will until somebody
 *   mends it; the message names the setting, the address and what to do, and never a secret.
 * - `closed`: the adapter has been closed; nothing took effect.
 */
export type PortErrorKind = 'unavailable' | 'timeout' | 'invalid' | 'refused' | 'closed';

/** The only error that a port's methods reject with. Anything else is a defect of the adapter. */
export class PortError extends Error {
  readonly kind: PortErrorKind;
  /** What was called, for example `document-store.insertMany`. */
  readonly call: string;

  constructor(kind: PortErrorKind, call: string, message: string, options?: ErrorOptions) {
    super(`${call}: ${message}`, options);
    this.name = 'PortError';
    this.kind = kind;
    this.call = call;
  }
}
