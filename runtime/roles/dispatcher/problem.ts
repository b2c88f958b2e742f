import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, ERRORS, PlatformError, type ProblemMembers } from '../../errors.ts';

/** Seconds after which a client may ask again when the platform had no room. */
const RETRY_AFTER_S = '1';

/** A problem document (RFC 9457) with a stable code. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly remedy: string;
  readonly [member: string]: unknown;
}

/** The problem document of an error code. */
export function problemDocument(
  code: ErrorCode,
  detail: string,
  members: ProblemMembers = {},
): ProblemDocument {
  const { title, http, remedy } = ERRORS[code];
  return { type: `urn:mini-platform:error:${code}`, title, status: http, code, detail, remedy, ...members };
}

/** Answers with a problem. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: PlatformError,
): FastifyReply {
  const entry = ERRORS[error.code];
  if (entry.http === 503) reply.header('retry-after', RETRY_AFTER_S);
  const document = problemDocument(error.code, error.message, { ...error.members, requestId: request.id });
  return reply
    .code(entry.http)
    .type('application/problem+json; charset=utf-8')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(document);
}

/** Brings whatever was thrown under a code of the registry. What is not known to be the client's is INTERNAL. */
export function toPlatformError(error: FastifyError | PlatformError): PlatformError {
  if (error instanceof PlatformError) return error;
  if (error.validation !== undefined) return invalidRequest(error);
  const known = FASTIFY_ERRORS.get(error.code);
  if (known !== undefined) return new PlatformError(known.code, known.detail, {}, { cause: error });
  if (error instanceof SyntaxError && error.statusCode === 400) {
    return new PlatformError('BODY_NOT_JSON', error.message, {}, { cause: error });
  }
  return new PlatformError('INTERNAL', 'an unexpected error', {}, { cause: error });
}

interface Known {
  readonly code: ErrorCode;
  readonly detail: string;
}

const FASTIFY_ERRORS: ReadonlyMap<string, Known> = new Map([
  [
    'FST_ERR_CTP_BODY_TOO_LARGE',
    { code: 'BODY_TOO_LARGE', detail: 'the body is larger than this route takes' },
  ],
  [
    'FST_ERR_CTP_INVALID_MEDIA_TYPE',
    { code: 'UNSUPPORTED_MEDIA_TYPE', detail: 'the body is not application/json' },
  ],
  ['FST_ERR_CTP_EMPTY_JSON_BODY', { code: 'BODY_NOT_JSON', detail: 'the body is empty' }],
  ['FST_ERR_CTP_INVALID_JSON_BODY', { code: 'BODY_NOT_JSON', detail: 'the body is not valid JSON' }],
  [
    'FST_ERR_CTP_INVALID_CONTENT_LENGTH',
    { code: 'MALFORMED_HTTP', detail: 'the body has another length than Content-Length says' },
  ],
  ['ECONNRESET', { code: 'MALFORMED_HTTP', detail: 'the client went away before its body was complete' }],
  ['FST_ERR_BAD_URL', { code: 'MALFORMED_HTTP', detail: 'the path is not a valid URL' }],
  ['FST_ERR_MAX_PARAM_LENGTH', { code: 'INVALID_REQUEST', detail: 'a part of the path is too long' }],
]);

function invalidRequest(error: FastifyError): PlatformError {
  const where = error.validationContext ?? 'body';
  const errors = (error.validation ?? []).map(({ instancePath, keyword, params, message }) => ({
    in: where,
    pointer: instancePath,
    detail: describe(keyword, params, message),
  }));
  const [first] = errors;
  const detail = first === undefined ? error.message : `${where}${first.pointer} ${first.detail}`;
  return new PlatformError('INVALID_REQUEST', detail, { errors });
}

function describe(keyword: string, params: Record<string, unknown>, message: string | undefined): string {
  if (keyword === 'additionalProperties')
    return `has the unknown field ${String(params['additionalProperty'])}`;
  if (keyword === 'pattern') return 'has characters, or an order of them, that are not allowed';
  if (keyword === 'enum') return `must be one of ${JSON.stringify(params['allowedValues'])}`;
  if (keyword === 'const') return `must be ${JSON.stringify(params['allowedValue'])}`;
  return message ?? 'is not valid';
}
