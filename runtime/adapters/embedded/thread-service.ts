import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
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

/** What a thread sends back for the messages it has taken together: one reply for each, in their order. */
export interface Handled {
  readonly replies: readonly ThreadReply[];
  readonly transfer: readonly ArrayBuffer[];
}

/**
 * Runs a database thread: takes all messages that have come while it worked, answers them together, and ends
 * with `close` when the main thread says so.
 */
export function serve<Request>(
  handle: (messages: readonly ThreadMessage<Request>[]) => Handled,
  close: () => void,
): void {
  if (parentPort === null) throw new Error('a database thread is started by EmbeddedDatabase');
  const port = parentPort;
  port.on('message', (first: ThreadMessage<Request> | null) => {
    const taken = [first, ...queued<Request>(port)];
    const messages = taken.filter((message) => message !== null);
    if (messages.length > 0) {
      const { replies, transfer } = handle(messages);
      port.postMessage(replies, transfer);
    }
    if (messages.length < taken.length) {
      close();
      port.close();
    }
  });
  port.postMessage('ready');
}

/** Messages that wait already. Not through events, which would bring them one by one. */
function* queued<Request>(port: MessagePort): Generator<ThreadMessage<Request> | null> {
  for (;;) {
    // What the main thread sends is declared in ThreadMessage.
    const next = receiveMessageOnPort(port) as
      { readonly message: ThreadMessage<Request> | null } | undefined;
    if (next === undefined) return;
    yield next.message;
  }
}
