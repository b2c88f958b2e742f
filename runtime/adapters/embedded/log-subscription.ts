import type { SubscribeOptions, Subscription } from '../../ports/event-log.ts';
import type { GroupMember } from './consumer-group.ts';
import type { EmbeddedDatabase } from './database.ts';
import { offsetNumber } from './log-check.ts';
import { logShared } from './log-shared.ts';
import { PartitionDelivery } from './partition-delivery.ts';
import type { DeliveryTimes, PartitionSource } from './partition-delivery.ts';
import { unpackStored } from './record-pack.ts';
import type { TopicRow } from './thread-protocol.ts';

const CALL = 'event-log.subscribe';
const COMMIT = 'event-log.commit';

/** Joins the group of the options; closing the subscription leaves it. */
export function subscribeTo(
  database: EmbeddedDatabase,
  topics: readonly TopicRow[],
  options: SubscribeOptions,
  times: DeliveryTimes,
): Subscription {
  const group = logShared(database).group(options.group);
  const member: GroupMember = {
    topics,
    start: (topic, partition) =>
      new PartitionDelivery(sourceOf(database, topic, partition, options.group), options, times),
  };
  group.join(member);
  return { close: () => group.leave(member) };
}

function sourceOf(
  database: EmbeddedDatabase,
  { id, name: topic }: TopicRow,
  partition: number,
  group: string,
): PartitionSource {
  return {
    topic,
    partition,
    read: async (from, maxRecords) => {
      const request = {
        op: 'records',
        topic,
        partition,
        from: offsetNumber(CALL, from),
        maxRecords,
      } as const;
      const { pack, end } = await database.read(CALL, request);
      return { records: unpackStored(partition, pack), end: BigInt(end) };
    },
    reached: (offset, signal) => logShared(database).ends.beyond(id, partition, Number(offset), signal),
    committedOrStart: async () => {
      const committed = await database.read(CALL, { op: 'committed', group, topic });
      const ours = committed.find((each) => each.partition === partition);
      if (ours !== undefined) return BigInt(ours.offset);
      const ranges = await database.read(CALL, { op: 'ranges', topic });
      return BigInt(ranges.find((each) => each.partition === partition)?.start ?? 0);
    },
    commit: async (nextOffset) => {
      const offset = offsetNumber(COMMIT, nextOffset);
      const request = { op: 'commitOffset', group, topic, partition, offset } as const;
      await database.write(COMMIT, request, { items: 1, bytes: 0 });
    },
  };
}
