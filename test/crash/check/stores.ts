import { decodeLine } from '../../../runtime/archive/line.ts';
import { readArchive } from '../../../runtime/archive/reader.ts';
import { verifyArchive } from '../../../runtime/archive/verify.ts';
import { LONG_TERM_STORAGE } from '../../../runtime/domain-kit/event.ts';
import type { EventLog, LogRecord } from '../../../runtime/ports/event-log.ts';
import type { ObjectStore } from '../../../runtime/ports/object-store.ts';
import { PortError } from '../../../runtime/ports/port-error.ts';
import { ARCHIVE_BUCKET } from '../resource.ts';
import { type Copy, parseRecord } from './log.ts';
import type { Violation } from './violation.ts';

/** The stores in which events end up. */
export interface KeepingStores {
  readonly log: EventLog;
  readonly objects: ObjectStore;
}

/** What a platform has left in its stores, beside what it shows over HTTP. */
export interface StoresContent {
  readonly published: readonly Copy[];
  readonly archived: readonly Copy[];
  readonly violations: readonly Violation[];
}

/** Reads the log and the archive. */
export async function readStores({ log, objects }: KeepingStores): Promise<StoresContent> {
  const published = await readLog(log);
  const archived = await readObjects(objects);
  return {
    published: published.copies,
    archived: archived.copies,
    violations: [...published.violations, ...archived.violations],
  };
}

interface Copies {
  readonly copies: readonly Copy[];
  readonly violations: readonly Violation[];
}

const PAGE = 1_000;

async function readLog(log: EventLog): Promise<Copies> {
  const copies: Copy[] = [];
  const violations: Violation[] = [];
  for await (const { partition, offset, value } of recordsOf(log)) {
    const place = `partition ${partition}, offset ${offset}`;
    const event = parseRecord(value);
    if (event !== undefined) copies.push({ event, place });
    else violations.push(foreign(LONG_TERM_STORAGE, `${place}: ${Buffer.from(value ?? '').toString()}`));
  }
  return { copies, violations };
}

async function* recordsOf(log: EventLog): AsyncGenerator<LogRecord> {
  for (const { partition, start, end } of await log.ranges(LONG_TERM_STORAGE)) {
    let from = start;
    while (from < end) {
      const records = await log.read({ topic: LONG_TERM_STORAGE, partition, from, maxRecords: PAGE });
      yield* records;
      from = (records.at(-1)?.offset ?? end) + 1n;
    }
  }
}

async function readObjects(objects: ObjectStore): Promise<Copies> {
  const copies: Copy[] = [];
  const violations: Violation[] = [];
  try {
    for await (const one of contentOfArchive(objects)) {
      if ('event' in one) copies.push(one);
      else violations.push(one);
    }
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    violations.push(broken('the archive', error.message));
  }
  return { copies, violations };
}

async function* contentOfArchive(objects: ObjectStore): AsyncGenerator<Copy | Violation> {
  const archive = { objects, bucket: ARCHIVE_BUCKET };
  for await (const found of verifyArchive(archive)) {
    if (found.type === 'finding') yield broken(found.key, `${found.kind}: ${found.message}`);
  }
  for await (const found of readArchive(archive, {})) {
    if (found.kind === 'damage') {
      yield broken(found.key, found.message);
      continue;
    }
    const place = `partition ${found.chain.partition}: ${found.line}`;
    const event = parseRecord(decodeLine(found.line)?.value ?? null);
    yield event === undefined ? foreign('the archive', place) : { event, place };
  }
}

function broken(subject: string, found: string): Violation {
  return { kind: 'broken-archive', subject, said: 'a whole chain from offset 0 on', found };
}

function foreign(where: string, found: string): Violation {
  return { kind: 'phantom', subject: where, said: 'events only', found };
}
