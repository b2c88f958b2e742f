import type { ParkedWrite } from './parked-write.ts';

/** Names an event under which writes are parked. */
export type EventKey = Pick<ParkedWrite, 'operation' | 'eventId'>;

/** Names one parked write: an event and one of its bodies. */
export type WriteKey = Pick<ParkedWrite, 'operation' | 'eventId' | 'bodyHash'>;

/** A parked write as JSON has it, in the topic and in the cache; its operation and event stand in the key. */
interface StoredWrite extends Omit<ParkedWrite, 'operation' | 'eventId' | 'request'> {
  /** In base64. */
  readonly request: string;
}

type Unchecked = Partial<Record<keyof StoredWrite, unknown>>;

const CAUSES: Readonly<Record<ParkedWrite['cause'], true>> = {
  EXPIRED: true,
  FULL: true,
  LINK_LOST: true,
  UNKNOWN_OPERATION: true,
  INVALID_REQUEST: true,
  STORE_UNAVAILABLE: true,
  LOG_UNAVAILABLE: true,
  CACHE_UNAVAILABLE: true,
  REPLY_TOO_LARGE: true,
  INTERNAL: true,
  KEY_REUSED: true,
};

/** The text that names an event, in the cache. Neither part holds a line break. */
export function eventName({ operation, eventId }: EventKey): string {
  return `${operation}\n${eventId}`;
}

/** The text that names a parked write: the key of its records, and its member in the sets of the cache. */
export function writeName(key: WriteKey): string {
  return `${eventName(key)}\n${key.bodyHash}`;
}

/** What `writeName` made; undefined when it is something else. */
export function parseWriteName(name: string): WriteKey | undefined {
  const [operation, eventId, bodyHash, ...rest] = name.split('\n');
  if (!operation || !eventId || !bodyHash || rest.length > 0) return undefined;
  return { operation, eventId, bodyHash };
}

/** A write as it goes into JSON. */
export function toStored(write: ParkedWrite): StoredWrite {
  const { bodyHash, request, state, parkedAt, dueAt, attempts, cause, message } = write;
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  return {
    bodyHash,
    request: bytes.toString('base64'),
    state,
    parkedAt,
    dueAt,
    attempts,
    cause,
    message,
  };
}

/** A write as it came out of JSON; undefined when it is none. A cause of a later version reads as INTERNAL. */
export function fromStored({ operation, eventId }: EventKey, stored: unknown): ParkedWrite | undefined {
  if (!isStored(stored)) return undefined;
  const { bodyHash, request, state, parkedAt, dueAt, attempts, cause, message } = stored;
  return {
    operation,
    eventId,
    bodyHash,
    request: Buffer.from(request, 'base64'),
    state,
    parkedAt,
    dueAt,
    attempts,
    cause: Object.hasOwn(CAUSES, cause) ? cause : 'INTERNAL',
    message,
  };
}

function isStored(value: unknown): value is StoredWrite {
  if (typeof value !== 'object' || value === null) return false;
  const stored: Unchecked = value;
  const { bodyHash, request, cause, message, state, parkedAt, dueAt, attempts } = stored;
  return (
    [bodyHash, request, cause, message].every((text) => typeof text === 'string') &&
    [parkedAt, dueAt, attempts].every((number) => Number.isSafeInteger(number)) &&
    (state === 'PARKED' || state === 'DEAD_LETTER')
  );
}
