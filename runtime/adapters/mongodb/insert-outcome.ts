import { MongoBulkWriteError, type WriteError } from 'mongodb';
import type { InsertResult } from '../../ports/document-store.ts';
import { PortError } from '../../ports/port-error.ts';

const DUPLICATE_KEY = 11000;
/**
 * Errors by which a server refuses what a document holds, and will again: BadValue, FailedToParse, TypeMismatch,
 * Overflow, InvalidBSON, names of fields, DocumentValidationFailure, CannotIndexParallelArrays, sizes.
 */
const CONTENT_CODES: ReadonlySet<unknown> = new Set([
  2, 9, 14, 15, 22, 52, 53, 55, 56, 57, 121, 171, 10334, 17280, 17419,
]);
const ID_INDEX = '_id_';
/** As MongoDB has it, and as DocumentDB does: the driver passes on nothing else that names the index. */
const INDEX_IN_TEXT = /(?<= index: | Index ')([^ ']+)(?= dup key|'$)/;
const MAX_TEXT = 200;

/** What was sent. */
export interface Insert {
  readonly call: string;
  readonly count: number;
  /** How many commands it took: what fails in a later one leaves what earlier ones inserted. */
  readonly commands: number;
}

/**
 * What became of each document of an insert that the driver reports as failed. Throws `invalid` where nothing was
 * inserted because of the content, `unavailable` where something may have been, and the error itself where the
 * service is what failed.
 *
 * Any writeConcernError is one of the whole batch: nobody knows which of its documents a failover would keep, and a
 * duplicate may be one of a document that it would not.
 */
export function insertOutcome(error: unknown, insert: Insert): readonly InsertResult[] {
  if (!(error instanceof MongoBulkWriteError)) throw error;
  const concern = error.result.getWriteConcernError();
  if (concern !== undefined) {
    const text = `a majority has not acknowledged the batch: error ${concern.code ?? 'without a code'}`;
    throw new PortError('unavailable', insert.call, text);
  }
  const writeErrors = [error.writeErrors].flat();
  if (writeErrors.length === 0) throw refusedWhole(error, insert);
  const others = writeErrors.filter((each) => !isDuplicate(each));
  if (others.length > 0) throw refusedPartly(others, writeErrors.length, insert);
  const results = Array.from<InsertResult>({ length: insert.count }).fill('inserted');
  for (const { index } of writeErrors) results[index] = 'duplicate';
  return results;
}

/** The server refused a command before it inserted anything of it. */
function refusedWhole(error: MongoBulkWriteError, { call, commands }: Insert): Error {
  const isServersAnswer = error.errorResponse['ok'] === 0;
  if (!isServersAnswer || commands !== 1 || !CONTENT_CODES.has(error.code)) return error;
  return new PortError('invalid', call, `the server refuses the content: ${shortened(error.message)}`);
}

function refusedPartly(others: readonly WriteError[], failed: number, { call, count }: Insert): PortError {
  const [first] = others;
  const text = `error ${first?.code} at document ${first?.index}: ${shortened(first?.errmsg ?? '')}`;
  const nothingInserted = failed === count;
  if (nothingInserted && others.every(({ code }) => CONTENT_CODES.has(code) || code === DUPLICATE_KEY)) {
    return new PortError('invalid', call, `the server refuses the content: ${text}`);
  }
  return new PortError(
    'unavailable',
    call,
    `${others.length} of ${count} documents could not be inserted: ${text}`,
  );
}

/** A violation of a unique index that somebody added is none of the id. */
function isDuplicate({ code, errmsg = '' }: WriteError): boolean {
  return code === DUPLICATE_KEY && (INDEX_IN_TEXT.exec(errmsg)?.[1] ?? ID_INDEX) === ID_INDEX;
}

function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}
