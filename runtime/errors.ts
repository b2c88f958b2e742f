/** What is known of one error: enough to answer it over HTTP, to retry it, and to document it. */
export interface ErrorEntry {
  /** HTTP status of the answer. */
  readonly http: number;
  /** gRPC status of the answer where the error crosses gRPC by itself. */
  readonly grpc:
    | 'INVALID_ARGUMENT'
    | 'NOT_FOUND'
    | 'ALREADY_EXISTS'
    | 'RESOURCE_EXHAUSTED'
    | 'UNAVAILABLE'
    | 'UNIMPLEMENTED'
    | 'INTERNAL'
    | 'FAILED_PRECONDITION';
  /** Whether the very same request may succeed later. */
  readonly retryable: boolean;
  /** What happened, in a few words: the problem's title. */
  readonly title: string;
  /** What the caller can do. */
  readonly remedy: string;
}

/**
 * Every error that a client can see, as data. `docs/errors.md` is generated from it; codes are stable: one that
 * was released is never renamed and never given another meaning.
 */
export const ERRORS = {
  BODY_NOT_JSON: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    title: 'The body is not valid JSON',
    remedy: 'Send one JSON object, encoded as UTF-8.',
  },
  INVALID_REQUEST: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    title: 'The request does not match its schema',
    remedy: 'Correct the fields listed in `errors`; the schema is at /docs.',
  },
  INVALID_CURSOR: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    title: 'The cursor is not one that this route gave',
    remedy: 'Start again without a cursor, and pass on the cursor of each answer unchanged.',
  },
  INVALID_IDEMPOTENCY_KEY: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    title: 'The idempotency key is not usable',
    remedy:
      'Send 1 to 128 printable ASCII characters without spaces; a key in the header and an id in the body must agree.',
  },
  MALFORMED_HTTP: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    title: 'The request is not valid HTTP',
    remedy: 'Check the request line, the headers and the percent-encoding of the path.',
  },
  NOT_FOUND: {
    http: 404,
    grpc: 'NOT_FOUND',
    retryable: false,
    title: 'There is nothing at this path',
    remedy: 'See /docs for the routes.',
  },
  EVENT_NOT_FOUND: {
    http: 404,
    grpc: 'NOT_FOUND',
    retryable: false,
    title: 'No event with this id is stored or parked',
    remedy: 'Check the operation and the id; an event that was never acknowledged may be sent again.',
  },
  NOT_PARKED: {
    http: 404,
    grpc: 'NOT_FOUND',
    retryable: false,
    title: 'No write is parked under this id',
    remedy: 'GET /parked lists those that are; GET /events/{operation}/{id} tells what became of others.',
  },
  METHOD_NOT_ALLOWED: {
    http: 405,
    grpc: 'UNIMPLEMENTED',
    retryable: false,
    title: 'The path exists, but not for this method',
    remedy: 'Use a method that the Allow header names.',
  },
  REQUEST_TIMEOUT: {
    http: 408,
    grpc: 'INVALID_ARGUMENT',
    retryable: true,
    title: 'The request did not arrive in time',
    remedy: 'Send the whole request at once.',
  },
  ALREADY_DECIDED: {
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    title: 'The store has decided about this event already',
    remedy: 'GET /events/{operation}/{id} tells what became of it.',
  },
  EVENT_DISCARDED: {
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    title: 'An administrator discarded this event',
    remedy: 'Send it again under a new idempotency key if it is still wanted.',
  },
  SEVERAL_PARKED: {
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    title: 'Several writes are parked under this id',
    remedy: 'Say which one is meant: add ?bodyHash= with one of `bodyHashes`; GET /parked lists them.',
  },
  BODY_TOO_LARGE: {
    http: 413,
    grpc: 'RESOURCE_EXHAUSTED',
    retryable: false,
    title: 'The body is too large',
    remedy: 'Send at most as many bytes as `limit` says.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    http: 415,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    title: 'The body has a media type that this route does not take',
    remedy: 'Send application/json.',
  },
  FRAUDULENT: {
    http: 422,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    title: 'A party to this event is on the fraud list',
    remedy: 'Nothing was stored, and the answer stays the same for this idempotency key.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    http: 422,
    grpc: 'ALREADY_EXISTS',
    retryable: false,
    title: 'This idempotency key was used before, with another body',
    remedy: 'Use a new key for a new event, and the same body for the same key.',
  },
  HEADERS_TOO_LARGE: {
    http: 431,
    grpc: 'RESOURCE_EXHAUSTED',
    retryable: false,
    title: 'The headers are too large',
    remedy: 'Send at most 16 KiB of headers.',
  },
  INTERNAL: {
    http: 500,
    grpc: 'INTERNAL',
    retryable: false,
    title: 'A defect in the platform',
    remedy: 'Report it with the request id. A write may be asked again with the same idempotency key.',
  },
  NOT_ATTEMPTED: {
    http: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    title: 'The platform could not take the request',
    remedy: 'Nothing was done. Ask again after the time in Retry-After.',
  },
  OUTCOME_UNKNOWN: {
    http: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    title: 'The request was tried, and its outcome is not known',
    remedy:
      'Ask again with the same idempotency key (`id` names it): the answer will be that of the first try.',
  },
  STATE_UNKNOWN: {
    http: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    title: 'What became of this event cannot be told now',
    remedy: 'Ask again after the time in Retry-After; an event that was acknowledged is not lost.',
  },
  READ_FAILED: {
    http: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    title: 'The answer could not be had',
    remedy: 'Ask again after the time in Retry-After.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERRORS;

/** Whether a text (from a wire, say) is a code of the registry. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

/** Members that an error adds to its problem document, beside the standard ones. */
export type ProblemMembers = Readonly<Record<string, unknown>>;

/** An error with a code of the registry. Its message says what happened here; the registry says what to do. */
export class PlatformError extends Error {
  readonly code: ErrorCode;
  readonly members: ProblemMembers;

  constructor(code: ErrorCode, message: string, members: ProblemMembers = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PlatformError';
    this.code = code;
    this.members = members;
  }
}
