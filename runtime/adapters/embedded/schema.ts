import { randomUUID } from 'node:crypto';
import { InvalidRequest } from './thread-service.ts';
import { integerOf, textOf } from './connection.ts';
import type { Connection, Row } from './connection.ts';
import type { IndexFields, TopicRow } from './thread-protocol.ts';

/** The catalogue; tables of collections, indexes and partitions are made as they are asked for. */
const TABLES = `
CREATE TABLE IF NOT EXISTS identity (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collections (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gone (
  place INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS indexes (
  collection TEXT, name TEXT, fields TEXT NOT NULL, PRIMARY KEY (collection, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS topics (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, generation TEXT NOT NULL,
  partitions INTEGER NOT NULL, compacted INTEGER NOT NULL, retention_ms INTEGER
);
CREATE TABLE IF NOT EXISTS partitions (
  topic INTEGER, partition INTEGER, first INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS committed (
  consumers TEXT, topic INTEGER, partition INTEGER, next INTEGER NOT NULL,
  PRIMARY KEY (consumers, topic, partition)
) WITHOUT ROWID;`;

/** Creates the catalogue where it is absent. */
export function createCatalogue(connection: Connection): void {
  connection.database.exec(TABLES);
  connection
    .statement('INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)')
    .run(randomUUID());
}

/** What the index file holds beside the indexes: whose they are, and how far each has come. */
const INDEX_TABLES = `
CREATE TABLE IF NOT EXISTS indexed_identity (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS indexed (
  collection TEXT, name TEXT, through INTEGER NOT NULL, gone INTEGER NOT NULL, PRIMARY KEY (collection, name)
) WITHOUT ROWID;`;

/** Creates the tables of the index file where they are absent. */
export function createIndexCatalogue(connection: Connection): void {
  connection.database.exec(INDEX_TABLES);
}

/** Table of a collection. Names hold no `.`, so these are never taken for one another. */
export function documentTable(collection: string): string {
  return `"documents.${collection}"`;
}

/** Table of an index: columns f0, f1, ..., id, and the document's seq. */
export function indexTable(collection: string, index: string): string {
  return `"index.${collection}.${index}"`;
}

/** Table of a partition. By number, because SQLite does not tell upper case from lower case in names. */
export function partitionTable(topicId: number, partition: number): string {
  return `"log.${topicId}.${partition}"`;
}

/**
 * DDL of a collection. Every version of a document has a `seq` of its own, higher than all before it: bodies are
 * appended, and indexes can be brought up to date by reading on from the seq that they have reached.
 */
export function createDocumentTable(collection: string): string {
  return (
    `CREATE TABLE ${documentTable(collection)} ` +
    `(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL)`
  );
}

/** DDL of an index. The id follows the last field's direction and breaks ties. */
export function createIndexTable(collection: string, index: string, fields: IndexFields): string {
  const columns = fields.map((_, place) => `f${place}`);
  const order = fields.map(({ direction }, place) => `f${place} ${sqlDirection(direction)}`);
  order.push(`id ${sqlDirection(fields.at(-1)?.direction ?? 'ascending')}`);
  return (
    `CREATE TABLE IF NOT EXISTS ${indexTable(collection, index)} ` +
    `(${columns.join(', ')}, id TEXT, seq INTEGER NOT NULL, PRIMARY KEY (${order.join(', ')})) WITHOUT ROWID`
  );
}

/** DDL of a partition; a compacted one is found by key, and its tombstones by age. */
export function createPartitionTables(topicId: number, partition: number, compacted: boolean): string[] {
  const table = partitionTable(topicId, partition);
  const name = (suffix: string): string => `"log.${topicId}.${partition}.${suffix}"`;
  const create = `CREATE TABLE ${table} (offset INTEGER PRIMARY KEY, key BLOB, value BLOB, at INTEGER NOT NULL)`;
  if (!compacted) return [create];
  return [
    create,
    `CREATE UNIQUE INDEX ${name('keys')} ON ${table} (key)`,
    `CREATE INDEX ${name('tombstones')} ON ${table} (at) WHERE value IS NULL`,
  ];
}

export function sqlDirection(direction: IndexFields[number]['direction']): 'ASC' | 'DESC' {
  return direction === 'ascending' ? 'ASC' : 'DESC';
}

/** Whether a collection exists. */
export function collectionExists(connection: Connection, collection: string): boolean {
  return connection.statement('SELECT 1 FROM collections WHERE name = ?').get(collection) !== undefined;
}

/** Indexes of a collection, by name. Refuses a collection that does not exist. */
export function indexesOf(connection: Connection, collection: string): ReadonlyMap<string, IndexFields> {
  if (!collectionExists(connection, collection)) {
    throw new InvalidRequest(`there is no collection ${collection}`);
  }
  const rows = connection.statement('SELECT name, fields FROM indexes WHERE collection = ?').all(collection);
  return new Map(rows.map((row) => [textOf(row, 'name'), parseFields(textOf(row, 'fields'))]));
}

function parseFields(text: string): IndexFields {
  // Written by DocumentWriter from a checked IndexSpec.
  return JSON.parse(text) as IndexFields;
}

/** A topic by name. Refuses one that does not exist. */
export function topicNamed(connection: Connection, name: string): TopicRow {
  const row = connection.statement('SELECT * FROM topics WHERE name = ?').get(name);
  if (row === undefined) throw new InvalidRequest(`there is no topic ${name}`);
  return topicRow(row);
}

/** All topics. */
export function allTopics(connection: Connection): TopicRow[] {
  return connection.statement('SELECT * FROM topics ORDER BY id').all().map(topicRow);
}

function topicRow(row: Row): TopicRow {
  return {
    id: integerOf(row, 'id'),
    name: textOf(row, 'name'),
    generation: textOf(row, 'generation'),
    partitions: integerOf(row, 'partitions'),
    compacted: integerOf(row, 'compacted') === 1,
    retentionMs: row['retention_ms'] === null ? null : integerOf(row, 'retention_ms'),
  };
}
