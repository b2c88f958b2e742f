import { describe, expect, test } from '@jest/globals';
import { codeOf, failureOf, type FailurePlace, mayNotCreate, notS3, statusOf } from './failure.ts';

const PLACE: FailurePlace = { endpoint: 'https://s3.example', bucket: 'archive', hasOwnKeys: true };

const answered = (status: number, code?: string): unknown =>
  Object.assign(new Error('AKIA-what-was-sent'), {
    name: code ?? 'Unknown',
    $metadata: { httpStatusCode: status },
    ...(code === undefined ? {} : { Code: code }),
  });
const unanswered = (code: string): unknown => Object.assign(new Error('AKIA-what-was-sent'), { code });

interface Expected {
  readonly kind: string;
  /** What the message names. */
  readonly names: string;
  readonly isPassing?: boolean;
  readonly isWithoutEffect?: boolean;
}

const ANSWERS: readonly (Expected & { readonly status: number; readonly code?: string })[] = [
  { status: 403, code: 'InvalidAccessKeyId', kind: 'refused', names: 'spec.s3.secret' },
  { status: 403, code: 'SignatureDoesNotMatch', kind: 'refused', names: 'spec.s3.secret' },
  { status: 403, code: 'AccessDenied', kind: 'refused', names: 's3:PutObject' },
  { status: 403, kind: 'refused', names: 'spec.s3.buckets.archive' },
  { status: 301, code: 'PermanentRedirect', kind: 'refused', names: 'spec.s3.region' },
  { status: 400, code: 'AuthorizationHeaderMalformed', kind: 'refused', names: 'spec.s3.region' },
  { status: 403, code: 'RequestTimeTooSkewed', kind: 'refused', names: 'clock', isPassing: true },
  { status: 404, code: 'NoSuchBucket', kind: 'invalid', names: 'bucket archive' },
  { status: 404, kind: 'refused', names: 'spec.s3.endpoint' },
  { status: 400, kind: 'refused', names: 'http or https' },
  { status: 400, code: 'EntityTooLarge', kind: 'invalid', names: 'EntityTooLarge' },
  {
    status: 409,
    code: 'ConditionalRequestConflict',
    kind: 'unavailable',
    names: 'Conflict',
    isPassing: true,
  },
  { status: 503, code: 'SlowDown', kind: 'unavailable', names: 'SlowDown', isPassing: true },
  { status: 400, code: 'XAmzContentSHA256Mismatch', kind: 'unavailable', names: 'SHA256', isPassing: true },
  { status: 507, kind: 'unavailable', names: 'no room' },
  { status: 403, code: 'QuotaExceeded', kind: 'unavailable', names: 'quota' },
  { status: 501, code: 'NotImplemented', kind: 'refused', names: 'does not support' },
  { status: 503, kind: 'unavailable', names: 'status 503', isPassing: true, isWithoutEffect: false },
  {
    status: 500,
    code: 'InternalError',
    kind: 'unavailable',
    names: '500',
    isPassing: true,
    isWithoutEffect: false,
  },
];

const SILENCES: readonly (Expected & { readonly code: string })[] = [
  { code: 'ENOTFOUND', kind: 'unavailable', names: 'cannot be found', isPassing: true },
  { code: 'ECONNREFUSED', kind: 'unavailable', names: 'spec.s3.endpoint', isPassing: true },
  { code: 'ECONNRESET', kind: 'unavailable', names: 'reached', isPassing: true, isWithoutEffect: false },
  { code: 'SELF_SIGNED_CERT_IN_CHAIN', kind: 'refused', names: 'spec.s3.caSecret (caFile)' },
  { code: 'ERR_TLS_CERT_ALTNAME_INVALID', kind: 'refused', names: 'certificate' },
  { code: 'CERT_HAS_EXPIRED', kind: 'refused', names: 'certificate' },
  { code: 'EPROTO', kind: 'refused', names: 'http or https' },
  { code: 'TLS_EXPECTED', kind: 'refused', names: 'begins with https' },
  { code: 'HPE_INVALID_CONSTANT', kind: 'refused', names: 'http or https' },
  { code: 'CredentialsProviderError', kind: 'refused', names: 'spec.s3.secret' },
];

describe('what a failure means', () => {
  const check = (error: unknown, expected: Expected): void => {
    const { kind, names, isPassing = false, isWithoutEffect = true } = expected;
    const failure = failureOf(error, PLACE);
    expect(failure).toMatchObject({ kind, isPassing, isWithoutEffect });
    expect(failure.message).toContain(names);
    expect(failure.message).toContain(PLACE.endpoint);
    expect(failure.message).not.toContain('AKIA');
  };

  test.each(ANSWERS)('answered $status $code: $kind', ({ status, code, ...expected }) => {
    check(answered(status, code), expected);
  });

  test.each(SILENCES)('not answered, $code: $kind', ({ code, ...expected }) => {
    check(unanswered(code), expected);
  });

  test('keys that were found on the machine are not those of the secret', () => {
    const place = { ...PLACE, hasOwnKeys: false };
    expect(failureOf(answered(403, 'InvalidAccessKeyId'), place).message).toContain('found on this machine');
  });

  test('a bucket that may not be made, and an answer that is not of S3', () => {
    expect(mayNotCreate(PLACE)).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/s3:CreateBucket.*spec\.s3\.secret.*spec\.feeder\.source\.bucket/),
    });
    expect(notS3(PLACE, 'no ETag')).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('no ETag'),
    });
  });
});

test('status and code are read from whatever is thrown', () => {
  expect([statusOf(undefined), statusOf('x'), statusOf(new Error('x'))]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(statusOf(answered(404))).toBe(404);
  expect([codeOf(answered(404)), codeOf(answered(404, 'NoSuchKey'))]).toEqual([undefined, 'NoSuchKey']);
  expect(codeOf(Object.assign(new Error('x'), { name: 'NotFound' }))).toBeUndefined();
});
