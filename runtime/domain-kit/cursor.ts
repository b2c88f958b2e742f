import { createHash } from 'node:crypto';
import { PlatformError } from '../errors.ts';

/** A place in a list that is ordered newest first. */
export interface Position {
  /** In ms since the epoch. */
  readonly at: number;
  /** Which of several kinds of entries with the same time; empty where a list has one kind. */
  readonly kind: string;
  /** The entry's id or name: breaks ties. */
  readonly id: string;
}

const VERSION = 1;
const MAX_LENGTH = 2_048;

/** The opaque text for a position in one list; `scope` names the list (route and client, say). */
export function encodeCursor(scope: string, { at, kind, id }: Position): string {
  return Buffer.from(JSON.stringify([VERSION, fingerprint(scope), at, kind, id])).toString('base64url');
}

/** The position that a cursor names. Throws INVALID_CURSOR for any text that this list did not give. */
export function decodeCursor(scope: string, cursor: string): Position {
  const position = cursor.length <= MAX_LENGTH ? positionIn(scope, parse(cursor)) : undefined;
  if (position === undefined) {
    throw new PlatformError('INVALID_CURSOR', 'the cursor does not belong to this list');
  }
  return position;
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    // Any text may come in; what is no JSON is no cursor.
    return undefined;
  }
}

function positionIn(scope: string, value: unknown): Position | undefined {
  if (!Array.isArray(value) || value.length !== 5) return undefined;
  const [version, list, at, kind, id] = value as readonly unknown[];
  if (version !== VERSION || list !== fingerprint(scope)) return undefined;
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0) return undefined;
  if (typeof kind !== 'string' || typeof id !== 'string') return undefined;
  return { at, kind, id };
}

/** Ties a cursor to its list, so that one of another list is refused rather than misread. */
function fingerprint(scope: string): string {
  return createHash('sha256').update(scope).digest('base64url').slice(0, 8);
}
