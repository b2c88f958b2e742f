import { integerOf } from './connection.ts';
import type { Connection } from './connection.ts';
import { partitionTable, topicNamed } from './schema.ts';
import type { TopicRow, WriteRequest } from './thread-protocol.ts';

type PurgeRequest = Extract<WriteRequest, { op: 'purge' }>;

/**
 * One small step of a purge: removes up to `limit` records appended before a time, tombstones only where the
 * topic is compacted. Returns how many went; the partition may have more when that is `limit`.
 */
export function purgeStep(connection: Connection, request: PurgeRequest): number {
  const topic = topicNamed(connection, request.topic);
  return topic.compacted
    ? purgeTombstones(connection, topic, request)
    : purgeOldest(connection, topic, request);
}

function purgeTombstones(connection: Connection, { id }: TopicRow, request: PurgeRequest): number {
  const table = partitionTable(id, request.partition);
  const { changes } = connection
    .statement(
      `DELETE FROM ${table} WHERE offset IN
       (SELECT offset FROM ${table} WHERE value IS NULL AND at < ? ORDER BY at LIMIT ?)`,
    )
    .run(request.before, request.limit);
  return Number(changes);
}

/** Stops at the first record that is young enough, so that the partition's start never jumps over one. */
function purgeOldest(connection: Connection, { id }: TopicRow, request: PurgeRequest): number {
  const { partition, before, limit } = request;
  const table = partitionTable(id, partition);
  let first: number | undefined;
  for (const row of connection
    .statement(`SELECT offset, at FROM ${table} ORDER BY offset LIMIT ?`)
    .all(limit)) {
    if (integerOf(row, 'at') >= before) break;
    first = integerOf(row, 'offset') + 1;
  }
  if (first === undefined) return 0;
  connection
    .statement('UPDATE partitions SET first = ? WHERE topic = ? AND partition = ?')
    .run(first, id, partition);
  return Number(connection.statement(`DELETE FROM ${table} WHERE offset < ?`).run(first).changes);
}
