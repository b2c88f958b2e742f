import { PortError } from '../../ports/port-error.ts';
import type { PortErrorKind } from '../../ports/port-error.ts';
import type { Settings } from './options.ts';

/** Why a server was of no use, whatever was called. Its message has no secret, and it has no cause that could. */
export class Failure extends Error {
  readonly kind: PortErrorKind;

  constructor(kind: PortErrorKind, message: string) {
    super(message);
    this.name = 'Failure';
    this.kind = kind;
  }
}

/** Who failed. */
export interface Where {
  /** host:port. */
  readonly server: string;
  readonly settings: Settings;
}

/** What a failure means: the kind, and what to do beside what the server said. */
type Meaning = readonly [kind: PortErrorKind, advice: (settings: Settings) => string];

const LOGIN = 'correct spec.redis.secret (usernameFile, passwordFile)';

const RIGHTS = '+@read +@write +@pubsub +@connection +info +eval +evalsha';

/** What Redis answers. The first that is found in the answer counts: scripts wrap the answers of their commands. */
const ANSWERS: readonly (readonly [RegExp, ...Meaning])[] = [
  [/\bWRONGTYPE\b/, 'invalid', () => 'another program may use the same keys'],
  [/\bWRONGPASS\b|invalid password|without any password configured/, 'refused', () => LOGIN],
  [
    /\bNOAUTH\b/,
    'refused',
    () => 'it asks for a login: set spec.redis.secret (passwordFile, and usernameFile)',
  ],
  [
    /\bNOPERM\b/,
    'refused',
    () => `give the user of spec.redis.secret ${RIGHTS}, for all keys and channels of the platform`,
  ],
  [
    /\bNOPROTO\b|unknown command/i,
    'refused',
    () => 'the platform needs Redis 6.2 or later with all of its commands',
  ],
  [/\bMOVED\b|\bCROSSSLOT\b|\bCLUSTERDOWN\b/, 'refused', () => 'Redis Cluster is not supported'],
  [/DB index is out of range/, 'refused', () => 'correct the number of the database in spec.redis.url'],
  [/\bREADONLY\b/, 'unavailable', () => 'it has become a replica'],
  [/\bOOM\b/, 'unavailable', () => 'its memory is full: raise its maxmemory'],
  [/\bMISCONF\b/, 'unavailable', () => 'it cannot write to its disk'],
  [
    /\bNOREPLICAS\b/,
    'unavailable',
    () => 'it has lost its replicas, and is told to take no writes without them',
  ],
  [/\bLOADING\b|\bBUSY\b|\bMASTERDOWN\b/, 'unavailable', () => 'wait for it'],
];

const TRUST =
  'spec.redis.caSecret must hold the authority that signed its certificate, which must name this very host';

const NO_CERTIFICATE =
  'it asks for a certificate of its clients, which the platform has none of: set tls-auth-clients to no or optional';

/** What the system and TLS say, by their codes. */
const CODES: readonly (readonly [RegExp, ...Meaning])[] = [
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'unavailable', ({ address }) => `its host cannot be found: see ${address}`],
  [
    /^ECONNREFUSED$/,
    'unavailable',
    ({ address }) => `nothing listens there: start it, or correct ${address}`,
  ],
  [
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/,
    'unavailable',
    ({ address }) => `it cannot be reached: see ${address}`,
  ],
  [
    /^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/,
    'refused',
    ({ tls }) => `it takes no TLS: correct ${tls}`,
  ],
  [/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/, 'refused', () => NO_CERTIFICATE],
  [/^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/, 'refused', () => TRUST],
];

/** The failure of what is called after `close`. */
export function closedFailure(): Failure {
  return new Failure('closed', 'the cache has been closed');
}

/** The failure of a server that takes no TLS though we speak it, or the other way round. */
export function tlsFailure({ server, settings }: Where, isTls: boolean): Failure {
  const trouble = isTls ? 'takes no TLS' : 'takes nothing but TLS';
  return new Failure('refused', `${server} ${trouble}: correct ${settings.tls}`);
}

/** The failure of a server that asks for a certificate. */
export function certificateFailure({ server }: Where): Failure {
  return new Failure('refused', `${server}: ${NO_CERTIFICATE}`);
}

/** Whether this is what a server has answered, with this word if one is given; else the connection failed. */
export function isAnswer(error: unknown, word = ''): boolean {
  return textOf(error, 'name') === 'ReplyError' && textOf(error, 'message')?.includes(word) === true;
}

/**
 * A text that an error bears, such as its code. Looks at the property and not at the class, because an error of the
 * system is an Error of another realm where the code runs in a vm context (as under jest).
 */
export function textOf(
  error: unknown,
  property: 'name' | 'message' | 'code' | 'syscall',
): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, property);
  return typeof value === 'string' ? value : undefined;
}

/** What stands in the way of a call: of what the client library rejects with, only what is known to be no secret. */
export function failureOf(error: unknown, where: Where): Failure {
  if (error instanceof Failure) return error;
  if (isAnswer(error)) return answerFailure(textOf(error, 'message') ?? '', where);
  const code = textOf(error, 'code');
  if (code !== undefined) return codeFailure(code, where);
  return new Failure('unavailable', `the connection to ${where.server} was lost`);
}

/** The error that a port's method rejects with. */
export function portErrorOf(error: unknown, call: string): unknown {
  return error instanceof Failure ? new PortError(error.kind, call, error.message) : error;
}

function answerFailure(answer: string, { server, settings }: Where): Failure {
  const [, kind, advice] = ANSWERS.find(([pattern]) => pattern.test(answer)) ?? [];
  // No more than what is wrong: not what was sent, where in a script it was, and what else could be done.
  const [short] = answer.split(/,? with args beginning with|,? otherwise|\.? script: [0-9a-f]{40}/);
  const said = `${server} answers "${short}"`;
  if (kind === undefined || advice === undefined) return new Failure('unavailable', said);
  return new Failure(kind, `${said}: ${advice(settings)}`);
}

function codeFailure(code: string, { server, settings }: Where): Failure {
  const [, kind, advice] = CODES.find(([pattern]) => pattern.test(code)) ?? [];
  if (kind === undefined || advice === undefined) {
    return new Failure('unavailable', `the connection to ${server} was lost (${code})`);
  }
  return new Failure(kind, `${server}: ${advice(settings)} (${code})`);
}
