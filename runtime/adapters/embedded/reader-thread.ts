import { workerData } from 'node:worker_threads';
import { textOf } from './connection.ts';
import type { Connection } from './connection.ts';
import { DocumentReader } from './document-reader.ts';
import { IndexKeeper } from './index-keeper.ts';
import { LogReader } from './log-reader.ts';
import { openReaderConnection } from './reader-connection.ts';
import { allTopics } from './schema.ts';
import { failureOf, type Handled, serve } from './thread-service.ts';
import type { ReadRequest, ThreadFailure, ThreadMessage, ThreadReply } from './thread-protocol.ts';

// Given by EmbeddedDatabase.
const { file, indexFile } = workerData as { readonly file: string; readonly indexFile: string };

/** How often indexes are brought up to date while no query does it, in ms. */
const TICK_MS = 500;

interface Readers {
  readonly connection: Connection;
  readonly keeper: IndexKeeper;
  readonly documents: DocumentReader;
  readonly log: LogReader;
}

// Opened by the first request: by then the writer, which starts at the same time, has made the file.
let opened: Readers | undefined;

const ticking = setInterval(tick, TICK_MS);
ticking.unref();

serve<ReadRequest>(answerAll, () => {
  clearInterval(ticking);
  opened?.connection.close();
});

/** Takes every index one step further; the rest is left to further ticks, so that requests come in between. */
function tick(): void {
  if (opened === undefined) return;
  try {
    const upToDate = inTransaction(opened, ({ connection, documents }) =>
      connection
        .statement('SELECT DISTINCT collection FROM indexes')
        .all()
        .map((row) => documents.buildIndexes({ op: 'buildIndexes', collection: textOf(row, 'collection') }))
        .every(Boolean),
    );
    if (!upToDate) setImmediate(tick);
  } catch {
    // A query runs into the same and says it; until then the next tick tries again.
  }
}

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
  return inTransaction((opened ??= openReaders()), (readers) => execute(readers, request));
}

function inTransaction<T>(readers: Readers, work: (readers: Readers) => T): T {
  const { connection, keeper } = readers;
  connection.run('BEGIN');
  try {
    const result = work(readers);
    connection.run('COMMIT');
    return result;
  } catch (error) {
    keeper.forget();
    if (connection.database.isTransaction) connection.run('ROLLBACK');
    throw error;
  }
}

function openReaders(): Readers {
  const connection = openReaderConnection(file, indexFile);
  const keeper = new IndexKeeper(connection);
  return {
    connection,
    keeper,
    documents: new DocumentReader(connection, keeper),
    log: new LogReader(connection),
  };
}

// The return type is the union of what the operations answer.
function execute({ connection, documents, log }: Readers, request: ReadRequest) {
  switch (request.op) {
    case 'buildIndexes':
      return documents.buildIndexes(request);
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
