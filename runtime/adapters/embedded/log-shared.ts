import { ConsumerGroup } from './consumer-group.ts';
import type { EmbeddedDatabase } from './database.ts';
import { LogEnds } from './log-ends.ts';

/** What all event logs on one database share. */
export interface LogShared {
  readonly ends: LogEnds;
  group(name: string): ConsumerGroup;
}

const shared = new WeakMap<EmbeddedDatabase, LogShared>();

/** The consumer groups and ends of a database's log. */
export function logShared(database: EmbeddedDatabase): LogShared {
  const known = shared.get(database);
  if (known !== undefined) return known;
  const groups = new Map<string, ConsumerGroup>();
  const created: LogShared = {
    ends: new LogEnds(database),
    group: (name) => {
      const group = groups.get(name) ?? new ConsumerGroup();
      groups.set(name, group);
      return group;
    },
  };
  shared.set(database, created);
  return created;
}
