/** Encodes and decodes a protobuf message; ts-proto's generated objects are of this shape. */
export interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(input: Uint8Array): T;
}

/**
 * A typed request that a dispatcher sends to a worker: a value from which both sides derive what they need
 * (routing, deadlines, parking, metrics).
 */
export interface Operation<Req, Res> {
  /** `<domain>.<operation>`, unique in the platform; a label of metrics and a part of stored ids. */
  readonly name: string;
  /** A write stores an event under an id and is answered the same when it is asked again. */
  readonly kind: 'read' | 'write';
  readonly request: Codec<Req>;
  readonly response: Codec<Res>;
  /**
   * How long the dispatcher waits for an answer, over all tries, in ms. The platform's `retry.deadline` takes its
   * place where a write is parked.
   */
  readonly timeoutMs: number;
  /**
   * Writes only: whether an undecided write is kept durably and sent again later (answered 202), or given back
   * to the client, who asks again with the same key.
   */
  readonly parked: boolean;
  /** Operations with the same key go to the same member. Undefined: any member. */
  readonly key?: (request: Req) => string;
  /** `key`, for who has the encoded request only. Throws when it does not decode. */
  readonly keyOfEncoded?: (request: Uint8Array) => string;
}

/** An operation whose types do not matter to the reader of a list. */
export type AnyOperation = Pick<
  Operation<never, unknown>,
  'name' | 'kind' | 'timeoutMs' | 'parked' | 'keyOfEncoded'
>;

const DEFAULT_TIMEOUT_MS = 5_000;

type ReadOptions<Req, Res> = Pick<Operation<Req, Res>, 'name' | 'request' | 'response' | 'key'> & {
  readonly timeoutMs?: number;
};

/** Declares an operation that changes nothing. The default time-out is 5 s. */
export function readOperation<Req, Res>(options: ReadOptions<Req, Res>): Operation<Req, Res> {
  return { timeoutMs: DEFAULT_TIMEOUT_MS, ...options, ...encodedKey(options), kind: 'read', parked: false };
}

/** Declares an operation that stores an event. The default time-out is 5 s. */
export function writeOperation<Req, Res>(
  options: ReadOptions<Req, Res> & { readonly parked: boolean },
): Operation<Req, Res> {
  return { timeoutMs: DEFAULT_TIMEOUT_MS, ...options, ...encodedKey(options), kind: 'write' };
}

function encodedKey<Req, Res>({
  key,
  request,
}: ReadOptions<Req, Res>): Pick<Operation<Req, Res>, 'keyOfEncoded'> {
  return key === undefined ? {} : { keyOfEncoded: (bytes) => key(request.decode(bytes)) };
}
