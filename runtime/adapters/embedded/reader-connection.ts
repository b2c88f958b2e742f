import { rmSync } from 'node:fs';
import { Connection, integerOf, textOf } from './connection.ts';
import { createIndexCatalogue, documentTable } from './schema.ts';

const PRAGMAS = [
  'journal_mode = WAL',
  // Enough for a file that is made anew from the documents: it stays whole, and may lose its last commits.
  'synchronous = NORMAL',
  'wal_autocheckpoint = 4000',
  'cache_size = -4000',
];

/**
 * The reader's connection: to the index file, with the data file attached. Only the writer thread writes to the
 * data file. An index file that is damaged, or made from other data, is made anew.
 */
export function openReaderConnection(file: string, indexFile: string): Connection {
  let opened: Connection | undefined;
  try {
    opened = open(file, indexFile);
    if (isOfThisData(opened)) return opened;
  } catch {
    // Not a database, or a damaged one. If the data file is at fault, the second try says so.
  }
  opened?.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${indexFile}${suffix}`, { force: true });
  const made = open(file, indexFile);
  made.run('INSERT INTO indexed_identity SELECT id FROM identity');
  return made;
}

function open(file: string, indexFile: string): Connection {
  const connection = new Connection(indexFile, PRAGMAS);
  connection.statement('ATTACH DATABASE ? AS data').run(file);
  createIndexCatalogue(connection);
  return connection;
}

/** False for indexes of another database, or of a later state of this one (a backup was put in its place). */
function isOfThisData(connection: Connection): boolean {
  const same = connection.statement('SELECT 1 FROM indexed_identity JOIN identity USING (id)').get();
  if (same === undefined) return false;
  return connection
    .statement('SELECT collection, max(through) AS through FROM indexed GROUP BY collection')
    .all()
    .every((row) => integerOf(row, 'through') <= lastSeq(connection, textOf(row, 'collection')));
}

function lastSeq(connection: Connection, collection: string): number {
  const table = documentTable(collection);
  const row = connection
    .statement(
      `SELECT max(next - 1, ifnull((SELECT max(seq) FROM ${table}), 0)) AS last FROM collections WHERE name = ?`,
    )
    .get(collection);
  return row === undefined ? 0 : integerOf(row, 'last');
}
