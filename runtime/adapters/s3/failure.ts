import type { PortErrorKind } from '../../ports/port-error.ts';

/** Where a failure was met, for its message. */
export interface FailurePlace {
  readonly endpoint: string;
  readonly bucket: string;
  /** Whether the keys are those of the configuration. */
  readonly hasOwnKeys: boolean;
}

/** What a failed request means. The message never repeats what was sent: it could hold a key. */
export interface Failure {
  readonly kind: Exclude<PortErrorKind, 'timeout' | 'closed'>;
  readonly message: string;
  /** Whether it is certain that nothing was stored. */
  readonly isWithoutEffect: boolean;
  /** Whether the same request may succeed in a moment. */
  readonly isPassing: boolean;
}

/** The settings of the resource that messages name, each with the fields of a role's configuration. */
const ENDPOINT = 'spec.s3.endpoint (endpoint)';
const CA = 'spec.s3.caSecret (caFile)';
const KEYS = 'spec.s3.secret (accessKeyIdFile, secretAccessKeyFile)';
const REGION = 'spec.s3.region (region)';
const BUCKETS = 'spec.s3.buckets.archive for the archive, spec.feeder.source.bucket for the fraud list';

const NO_EFFECT = { isWithoutEffect: true, isPassing: false };
const NO_EFFECT_YET = { isWithoutEffect: true, isPassing: true };
const EFFECT_UNKNOWN = { isWithoutEffect: false, isPassing: true };

/** What an error of the SDK means. */
export function failureOf(error: unknown, place: FailurePlace): Failure {
  const status = statusOf(error);
  if (status !== undefined) return answered(status, error, place);
  return unanswered(error, place);
}

/** The HTTP status of the answer that an error of the SDK stands for; undefined when none came. */
export function statusOf(error: unknown): number | undefined {
  const metadata = property(error, '$metadata');
  const status = property(metadata, 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
}

/** S3's own code of an error, such as `NoSuchBucket`; undefined when the answer had none: those to HEAD never have. */
export function codeOf(error: unknown): string | undefined {
  const code = property(error, 'Code');
  if (typeof code === 'string') return code;
  const name = property(error, 'name');
  // Errors that the SDK knows have no Code; NotFound is what it makes of any 404 without one.
  const isTold = typeof name === 'string' && !['Error', 'Unknown', 'NotFound'].includes(name);
  return isTold ? name : undefined;
}

/** The answer is none of S3: it says success without what S3 says then, or an error in another form. */
export function notS3({ endpoint }: FailurePlace, what: string): Failure {
  const message = `${endpoint} does not answer as S3 does (${what}): correct ${ENDPOINT}: http or https, host and port`;
  return { kind: 'refused', message, ...NO_EFFECT };
}

/** There is no such bucket, and these keys may not make it. */
export function mayNotCreate({ endpoint, bucket }: FailurePlace): Failure {
  const message =
    `there is no bucket ${bucket} at ${endpoint}, and it may not be created: create it, permit s3:CreateBucket to the ` +
    `key of ${KEYS}, or correct its name (${BUCKETS})`;
  return { kind: 'refused', message, ...NO_EFFECT };
}

type Judge = (reason: string, place: FailurePlace) => Failure;

const wrongKeys: Judge = (reason, { endpoint, hasOwnKeys }) => ({
  kind: 'refused',
  message: hasOwnKeys
    ? `${endpoint} does not accept the access key (${reason}): correct ${KEYS}`
    : `${endpoint} does not accept the access key that was found on this machine (${reason}): name one with ${KEYS}`,
  ...NO_EFFECT,
});
const wrongRegion: Judge = (reason, { endpoint }) => ({
  kind: 'refused',
  message: `${endpoint} is of another region (${reason}): correct ${REGION}, or ${ENDPOINT}`,
  ...NO_EFFECT,
});
const denied: Judge = (reason, { endpoint, bucket }) => ({
  kind: 'refused',
  message:
    `${endpoint} denies access to bucket ${bucket} (${reason}): permit s3:ListBucket, s3:GetObject, s3:PutObject and ` +
    `s3:DeleteObject to the key of ${KEYS}, or correct the bucket (${BUCKETS})`,
  ...NO_EFFECT,
});
const noBucket: Judge = (_, { endpoint, bucket }) => ({
  kind: 'invalid',
  message: `there is no bucket ${bucket} at ${endpoint}: create it, or correct its name (${BUCKETS})`,
  ...NO_EFFECT,
});
const clockOff: Judge = (reason, { endpoint }) => ({
  kind: 'refused',
  message: `${endpoint} has another time than this machine (${reason}): set both clocks, by NTP`,
  isWithoutEffect: true,
  // The SDK goes by the server's clock from then on.
  isPassing: true,
});
const full: Judge = (reason, { endpoint, bucket }) => ({
  kind: 'unavailable',
  message: `${endpoint} has no room for bucket ${bucket} (${reason}): give it more, or raise its quota`,
  ...NO_EFFECT,
});
const busy: Judge = (reason, { endpoint }) => ({
  kind: 'unavailable',
  message: `${endpoint} cannot serve this now (${reason})`,
  ...NO_EFFECT_YET,
});
const unable: Judge = (reason, { endpoint }) => ({
  kind: 'refused',
  message: `${endpoint} does not support a request that is needed (${reason}): use a store that does`,
  ...NO_EFFECT,
});
const broken: Judge = (reason, { endpoint }) => ({
  kind: 'unavailable',
  message: `${endpoint} failed (${reason})`,
  ...EFFECT_UNKNOWN,
});
const refusedContent: Judge = (reason, { endpoint, bucket }) => ({
  kind: 'invalid',
  message: `${endpoint} refuses the request to bucket ${bucket} (${reason})`,
  ...NO_EFFECT,
});

const CODES = new Map<string, Judge>([
  ...each(
    ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'ExpiredToken', 'TokenRefreshRequired'],
    wrongKeys,
  ),
  ...each(['AccountProblem', 'NotSignedUp', 'InvalidSecurity'], wrongKeys),
  ...each(
    ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'],
    wrongRegion,
  ),
  ...each(['AccessDenied', 'AllAccessDisabled', 'BucketAlreadyExists'], denied),
  ...each(['NoSuchBucket'], noBucket),
  ...each(['RequestTimeTooSkewed'], clockOff),
  ...each(
    ['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded'],
    full,
  ),
  ...each(['ConditionalRequestConflict', 'OperationAborted', 'SlowDown', 'TooManyRequests'], busy),
  ...each(['BadDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody', 'RequestTimeout'], busy),
  ...each(['NotImplemented'], unable),
]);

const STATUSES = new Map<number, Judge>([
  ...each([301, 307], wrongRegion),
  ...each([401, 403], denied),
  ...each([409, 429], busy),
  ...each([501], unable),
  ...each([507], full),
]);

function answered(status: number, error: unknown, place: FailurePlace): Failure {
  const code = codeOf(error);
  const reason = code === undefined ? `status ${status}` : `${code}, status ${status}`;
  const judge = (code === undefined ? undefined : CODES.get(code)) ?? STATUSES.get(status);
  if (judge !== undefined) return judge(reason, place);
  if (status >= 500) return broken(reason, place);
  return code === undefined ? notS3(place, reason) : refusedContent(reason, place);
}

/** In place of the system's code: the server speaks TLS, and the endpoint says that it does not. */
export const TLS_EXPECTED = 'TLS_EXPECTED';

const TLS_CODES =
  /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO$|TLS_EXPECTED$)/;

function unanswered(error: unknown, place: FailurePlace): Failure {
  const { endpoint } = place;
  const code = String(property(error, 'code') ?? property(error, 'name'));
  if (TLS_CODES.test(code)) return untrusted(code, place);
  // What answers speaks no HTTP; it may be TLS.
  if (code.startsWith('HPE_')) return notS3(place, code);
  if (code === 'CredentialsProviderError') {
    const message = `no access key for ${endpoint} was found on this machine: name one with ${KEYS}`;
    return { kind: 'refused', message, ...NO_EFFECT };
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const message = `the host of ${endpoint} cannot be found (${code}): correct ${ENDPOINT}, or look at the DNS`;
    return { kind: 'unavailable', message, ...NO_EFFECT_YET };
  }
  const message = `${endpoint} cannot be reached (${code}): see that it runs, and that ${ENDPOINT} is right`;
  const isWithoutEffect = NEVER_CONNECTED.has(code);
  return { kind: 'unavailable', message, isWithoutEffect, isPassing: true };
}

const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']);

function untrusted(code: string, { endpoint }: FailurePlace): Failure {
  if (code === TLS_EXPECTED) {
    const message = `${endpoint} speaks TLS and nothing else: correct ${ENDPOINT}: it begins with https`;
    return { kind: 'refused', message, ...NO_EFFECT };
  }
  const message =
    code === 'EPROTO' || code.startsWith('ERR_SSL_')
      ? `${endpoint} does not speak TLS as asked (${code}): correct ${ENDPOINT}: http or https, host and port`
      : `the certificate of ${endpoint} is not trusted (${code}): name its authority with ${CA}, or correct the host in ` +
        ENDPOINT;
  return { kind: 'refused', message, ...NO_EFFECT };
}

function each<K>(keys: readonly K[], judge: Judge): [K, Judge][] {
  return keys.map((key) => [key, judge]);
}

/** By its properties: errors of the system are of another realm under jest. */
function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
