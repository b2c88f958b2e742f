import { parentPort } from 'node:worker_threads';
import { PortError } from '../../ports/port-error.ts';
import type { PortErrorKind } from '../../ports/port-error.ts';
import { messageOf, sqliteCode } from './system-error.ts';
import type { ThreadFailure, ThreadMessage, ThreadReply } from './thread-protocol.ts';

/** A request that is refused for what it says; it would be refused again. */
export class InvalidRequest extends Error {}

/** Result codes of SQLite that mean the content is at fault: TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const CONTENT_FAULTS: ReadonlySet<number> = new Set([18, 19, 20, 25]);

/** How a failure in a thread is told to the one who asked. */
export function failureOf(place: number, error: unknown): ThreadFailure {
  return { place, kind: kindOf(error), message: messageOf(error) };
}

function kindOf(error: unknown): PortErrorKind {
  if (error instanceof InvalidRequest) return 'invalid';
  if (error instanceof PortError) return error.kind;
  const code = sqliteCode(error);
  return code !== undefined && CONTENT_FAULTS.has(code) ? 'invalid' : 'unavailable';
}

/** Runs a database thread: answers message after message, and ends with `close` when the main thread says so. */
export function serve<Request>(
  handle: (message: ThreadMessage<Request>) => { reply: ThreadReply; transfer: ArrayBuffer[] },
  close: () => void,
): void {
  if (parentPort === null) throw new Error('a database thread is started by EmbeddedDatabase');
  const port = parentPort;
  port.on('message', (message: ThreadMessage<Request> | null) => {
    if (message === null) {
      close();
      port.close();
      return;
    }
    const { reply, transfer } = handle(message);
    port.postMessage(reply, transfer);
  });
  port.postMessage('ready');
}
