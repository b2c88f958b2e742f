import { workerData } from 'node:worker_threads';
import { Connection } from './connection.ts';
import { DocumentReader } from './document-reader.ts';
import { LogReader } from './log-reader.ts';
import { allTopics } from './schema.ts';
import { failureOf, type Handled, serve } from './thread-service.ts';
import type { ReadRequest, ThreadFailure, ThreadMessage, ThreadReply } from './thread-protocol.ts';

// Given by EmbeddedDatabase.
const { file } = workerData as { readonly file: string };

interface Readers {
  readonly connection: Connection;
  readonly documents: DocumentReader;
  readonly log: LogReader;
}

// Opened by the first request: by then the writer, which starts at the same time, has made the file.
let opened: Readers | undefined;

serve<ReadRequest>(answerAll, () => opened?.connection.close());

function answerAll(messages: readonly ThreadMessage<ReadRequest>[]): Handled {
  const transfer: ArrayBuffer[] = [];
  return { replies: messages.map(({ requests }) => answer(requests, transfer)), transfer };
}

function answer(requests: readonly ReadRequest[], transfer: ArrayBuffer[]): ThreadReply {
  const failures: ThreadFailure[] = [];
  const answers = requests.map((request, place) => {
    try {
      const found = inSnapshot(request);
      if (typeof found === 'object' && 'pack' in found) transfer.push(found.pack.buffer);
      return found;
    } catch (error) {
      failures.push(failureOf(place, error));
      return undefined;
    }
  });
  return { answers, failures, advanced: [] };
}

/** A request of several statements sees one state of the database. */
function inSnapshot(request: ReadRequest): ReturnType<typeof execute> {
  const readers = (opened ??= openReaders());
  const { connection } = readers;
  connection.run('BEGIN');
  try {
    return execute(readers, request);
  } finally {
    connection.run('COMMIT');
  }
}

function openReaders(): Readers {
  const connection = new Connection(file, ['query_only = 1', 'cache_size = -4000']);
  return { connection, documents: new DocumentReader(connection), log: new LogReader(connection) };
}

// The return type is the union of what the operations answer.
function execute({ connection, documents, log }: Readers, request: ReadRequest) {
  switch (request.op) {
    case 'findByIds':
      return documents.findByIds(request);
    case 'find':
      return documents.find(request);
    case 'findByIdRange':
      return documents.findByIdRange(request);
    case 'topics':
      return allTopics(connection);
    case 'records':
      return log.records(request);
    case 'ranges':
      return log.ranges(request);
    case 'committed':
      return log.committed(request);
  }
}
