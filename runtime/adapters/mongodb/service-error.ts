import {
  MongoClientClosedError,
  MongoCompatibilityError,
  MongoError,
  MongoMissingCredentialsError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';
import { PortError, type PortErrorKind } from '../../ports/port-error.ts';

/** What errors may say of the service: nothing of the URI but its hosts. */
export interface ServiceAddress {
  /** `host:port`, joined by commas. */
  readonly hosts: string;
  readonly database: string;
  readonly hasCredentials: boolean;
  /** It is spoken to without TLS, and has never answered yet. */
  readonly mayLackTls: boolean;
}

type Verdict = readonly [kind: PortErrorKind, message: string];

const URI = 'spec.mongodb.uriSecret';
const CA = 'spec.mongodb.caSecret';

const MAX_TIME_EXPIRED = 50;
const UNAUTHORIZED = 13;
/** UserNotFound, AuthenticationFailed, MechanismUnavailable, and what Atlas says. */
const AUTHENTICATION_CODES: ReadonlySet<unknown> = new Set([11, 18, 334, 8000]);
const UNKNOWN_HOST_CODES: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'ENODATA',
  'EAI_AGAIN',
  'EAI_NODATA',
  'ESERVFAIL',
]);
const CERTIFICATE = /^(CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|ERR_TLS_CERT)/;
const TLS = /^(ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO)/;

/**
 * What an error of the driver means, for a call of the port. Errors that are no failure of the service are defects and
 * come back as they are. Neither message nor cause carries the URI, or documents.
 */
export function toPortError(call: string, error: unknown, service: ServiceAddress): unknown {
  if (error instanceof PortError) return error;
  const root = rootOf(error);
  const [kind, message] = verdictOf(root, service) ?? [];
  return kind === undefined ? error : new PortError(kind, call, message ?? '');
}

/** The refusal of a URI that the driver does not take. The driver's own words may hold parts of it. */
export function unreadableUri(call: string): PortError {
  const remedy =
    'it begins with mongodb:// or mongodb+srv://, has options that exist, and in its user name and password the ' +
    'characters : / ? # [ ] @ % are percent-encoded';
  return new PortError('refused', call, `${URI} holds no URI of MongoDB that can be used: ${remedy}`);
}

/** What lies at the bottom of errors that report others: of a bulk write, or of the choice of a server. */
function rootOf(error: unknown): unknown {
  if (error instanceof MongoServerSelectionError) {
    const errors = [...(error.reason?.servers.values() ?? [])].flatMap((server) => server.error ?? []);
    return errors.find((each) => refusalOf(each) !== undefined) ?? errors[0] ?? error;
  }
  if (error instanceof MongoServerError && error.errorResponse instanceof Error)
    return rootOf(error.errorResponse);
  return error;
}

function verdictOf(error: unknown, service: ServiceAddress): Verdict | undefined {
  const refusal = refusalOf(error);
  if (refusal !== undefined) return ['refused', refusal(service)];
  const at = `MongoDB at ${service.hosts} (${URI})`;
  const codes = codesOf(error);
  if (codes.some((code) => UNKNOWN_HOST_CODES.has(code))) {
    return ['unavailable', `a host of ${URI} cannot be found (${codes.join(', ')}): check ${service.hosts}`];
  }
  if (error instanceof MongoNetworkTimeoutError) return ['timeout', `${at} did not answer: ${error.message}`];
  if (error instanceof MongoServerError) return serverVerdict(error, at);
  if (error instanceof MongoClientClosedError || error instanceof MongoTopologyClosedError) {
    return ['unavailable', 'the store was closed before MongoDB answered'];
  }
  if (error instanceof MongoError || codes.length > 0) {
    return ['unavailable', `${at} cannot be used: ${textOf(error)}${hintOnTls(error, service)}`];
  }
  return undefined;
}

function serverVerdict(error: MongoServerError, at: string): Verdict {
  if (error.code === MAX_TIME_EXPIRED) return ['timeout', `${at} took too long over it`];
  if (error instanceof MongoWriteConcernError) {
    return ['unavailable', `${at} wrote, but a majority has not acknowledged it: ${codeOf(error)}`];
  }
  return ['unavailable', `${at} could not do it: ${codeOf(error)}`];
}

/** A server that waits for TLS hangs up on a client that speaks without, and cannot say why. */
function hintOnTls(error: unknown, { mayLackTls }: ServiceAddress): string {
  const hungUp = error instanceof MongoNetworkError && codesOf(error).length === 0;
  return hungUp && mayLackTls ? `; if it takes TLS only, tls=true is missing in ${URI}` : '';
}

/** Why the service does not serve this platform as it is configured; undefined where it may come back by itself. */
function refusalOf(error: unknown): ((service: ServiceAddress) => string) | undefined {
  if (isAuthenticationFailure(error)) {
    return ({ hosts }) =>
      `MongoDB at ${hosts} refuses the user or the password in ${URI}: put the right ones there, ` +
      'and authSource if the user is kept in another database than admin';
  }
  if (error instanceof MongoServerError && error.code === UNAUTHORIZED) return permissionRefusal;
  if (error instanceof MongoCompatibilityError) {
    return ({ hosts }) =>
      `MongoDB at ${hosts} (${URI}) is too old or too new for this version: ${error.message}`;
  }
  const codes = codesOf(error);
  const certificate = codes.find((code) => CERTIFICATE.test(code));
  if (certificate !== undefined) {
    return ({ hosts }) =>
      `the certificate of MongoDB at ${hosts} (${URI}) is not trusted (${certificate}): ` +
      `put the authority that signed it into ${CA}, and connect by a host name that it is made for`;
  }
  const tls = codes.find((code) => TLS.test(code));
  if (tls === undefined) return undefined;
  return ({ hosts }) =>
    `no TLS connection to MongoDB at ${hosts} can be made (${tls}): ` +
    `see whether it speaks TLS, as tls=true in ${URI} or ${CA} demands, and whether ${CA} holds certificates in PEM`;
}

function permissionRefusal({ hosts, database, hasCredentials }: ServiceAddress): string {
  if (!hasCredentials) return `MongoDB at ${hosts} asks for a user and a password: put them into ${URI}`;
  return `MongoDB at ${hosts} does not allow this to the user in ${URI}: grant it readWrite on ${database}`;
}

function isAuthenticationFailure(error: unknown): boolean {
  if (error instanceof MongoMissingCredentialsError) return true;
  return error instanceof MongoServerError && AUTHENTICATION_CODES.has(error.code);
}

/** The texts in `code` along the chain of causes, as Node's network, DNS and TLS errors have them. */
function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  for (
    let each = error;
    typeof each === 'object' && each !== null;
    each = 'cause' in each ? each.cause : undefined
  ) {
    if ('code' in each && typeof each.code === 'string') codes.push(each.code);
  }
  return [...new Set(codes)];
}

/** A server's error without its message, which may hold documents. */
function codeOf({ code, codeName }: MongoServerError): string {
  return `error ${String(code ?? 'without a code')}${codeName === undefined ? '' : ` (${codeName})`}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
