import { workerData } from 'node:worker_threads';
import { Connection } from './connection.ts';
import { DocumentWriter } from './document-writer.ts';
import { purgeStep } from './log-purge-step.ts';
import { LogWriter } from './log-writer.ts';
import { createCatalogue } from './schema.ts';
import { failureOf, serve } from './thread-service.ts';
import type { ThreadFailure, ThreadMessage, ThreadReply, WriteRequest } from './thread-protocol.ts';

interface Job {
  readonly request: WriteRequest;
  readonly payload: Uint8Array;
}

interface Outcome {
  readonly answers: unknown[];
  readonly failures: ThreadFailure[];
}

// Given by EmbeddedDatabase.
const { file } = workerData as { readonly file: string };

const connection = new Connection(file, [
  'journal_mode = WAL',
  // FULL makes a commit wait for the fsync of the write-ahead log: what is answered is durable.
  'synchronous = FULL',
  'wal_autocheckpoint = 4000',
  'cache_size = -8000',
]);
createCatalogue(connection);
const documents = new DocumentWriter(connection);
const log = new LogWriter(connection);

serve<WriteRequest>(
  (messages) => ({ replies: commitTogether(messages), transfer: [] }),
  () => connection.close(),
);

const NONE: ReadonlySet<number> = new Set();

/** Group commit: everything that gathered during the last one, in one transaction, with one fsync. */
function commitTogether(messages: readonly ThreadMessage<WriteRequest>[]): ThreadReply[] {
  const jobs = messages.flatMap(jobsOf);
  let outcome: Outcome;
  try {
    outcome = inTransaction(() => ({ answers: jobs.map(execute), failures: [] }));
  } catch {
    // Savepoints cost on each request; failures are rare. So only a batch that failed is run with them.
    outcome = commitApart(jobs);
  }
  return split(messages, outcome);
}

/** The part of the outcome that belongs to each message. */
function split(
  messages: readonly ThreadMessage<WriteRequest>[],
  { answers, failures }: Outcome,
): ThreadReply[] {
  // Told with the first reply: it is true as soon as the commit is.
  let advanced: ThreadReply['advanced'] = log.takeAdvanced();
  let start = 0;
  return messages.map(({ requests }) => {
    const end = start + requests.length;
    const reply = {
      answers: answers.slice(start, end),
      failures: failures
        .filter(({ place }) => place >= start && place < end)
        .map((failure) => ({ ...failure, place: failure.place - start })),
      advanced,
    };
    start = end;
    advanced = [];
    return reply;
  });
}

function commitApart(jobs: readonly Job[]): Outcome {
  try {
    return inTransaction(() => {
      const failures: ThreadFailure[] = [];
      const answers = jobs.map((job, place) => {
        try {
          return withSavepoint(job);
        } catch (error) {
          failures.push(failureOf(place, error));
          return undefined;
        }
      });
      return { answers, failures };
    });
  } catch (error) {
    // The commit itself failed (disk full, I/O error), which is no request's fault.
    const failure = { ...failureOf(0, error), kind: 'unavailable' as const };
    return { answers: [], failures: jobs.map((_, place) => ({ ...failure, place })) };
  }
}

function inTransaction(work: () => Outcome): Outcome {
  connection.run('BEGIN IMMEDIATE');
  try {
    const outcome = work();
    log.storeEnds();
    connection.run('COMMIT');
    return outcome;
  } catch (error) {
    forget();
    log.takeAdvanced();
    // SQLite rolls back by itself on some errors, a full disk among them.
    if (connection.database.isTransaction) connection.run('ROLLBACK');
    throw error;
  }
}

/** Runs one request so that it alone is undone when it fails. */
function withSavepoint(job: Job): unknown {
  connection.run('SAVEPOINT request');
  try {
    const answer = execute(job);
    log.storeEnds();
    connection.run('RELEASE request');
    return answer;
  } catch (error) {
    if (!connection.database.isTransaction) throw error;
    connection.run('ROLLBACK TO request');
    connection.run('RELEASE request');
    forget();
    throw error;
  }
}

function forget(): void {
  documents.forget();
  log.forget();
}

function jobsOf({ requests, payload }: ThreadMessage<WriteRequest>): Job[] {
  let at = 0;
  return requests.map((request) => {
    const bytes = 'payloadBytes' in request ? request.payloadBytes : 0;
    const job = { request, payload: new Uint8Array(payload ?? new ArrayBuffer(0), at, bytes) };
    at += bytes;
    return job;
  });
}

function execute({ request, payload }: Job): unknown {
  switch (request.op) {
    case 'insert':
      return documents.insert(request);
    case 'append':
      return log.append(request, payload, NONE);
    case 'store':
      return store(request, payload);
    case 'replace':
      return documents.replace(request);
    case 'remove':
      return documents.remove(request);
    case 'commitOffset':
      return log.commitOffset(request);
    case 'purge':
      return purgeStep(connection, request);
    case 'ensureCollections':
      return documents.ensureCollections(request.specs);
    case 'ensureTopics':
      return log.ensureTopics(request.specs);
  }
}

function store(request: Extract<WriteRequest, { op: 'store' }>, payload: Uint8Array): number[] | null {
  const duplicates = documents.insert(request);
  if (request.topics.length > 0) log.append(request, payload, recordsOf(request.recordOf, duplicates));
  return duplicates;
}

/** Places of the records whose documents are duplicates. */
function recordsOf(
  recordOf: readonly number[] | null,
  duplicates: readonly number[] | null,
): ReadonlySet<number> {
  if (duplicates === null) return NONE;
  if (recordOf === null) return new Set(duplicates);
  const places = new Set(duplicates);
  return new Set(recordOf.flatMap((document, record) => (places.has(document) ? [record] : [])));
}
