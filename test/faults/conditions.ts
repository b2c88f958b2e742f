import type { EventBody } from '../crash/events.ts';
import type { HttpClient } from '../crash/http-client.ts';
import type { Ledger } from '../crash/ledger.ts';
import { listAllParked } from '../crash/parked-list.ts';
import { sendWrite } from '../crash/send-write.ts';
import { CLIENTS } from '../crash/writes.ts';
import { LONG_TERM_STORAGE } from '../../runtime/domain-kit/event.ts';
import type { EventLog } from '../../runtime/ports/event-log.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import type { KeptRole } from './kept-role.ts';
import type { Condition } from './recovery.ts';

/** Every process is ready, and waits for no service. */
export function rolesAreReady(roles: readonly KeptRole[]): Condition {
  return () => async () => {
    for (const { name, process } of roles) {
      const said = await process.readiness().catch(() => undefined);
      if (said === undefined) return `${name} says whether it is ready`;
      const waits = said.waitsFor ?? [];
      if (!said.ready || waits.length > 0) return `${name} is ready: ${JSON.stringify(said)}`;
    }
    return undefined;
  };
}

/** Every dispatcher has every worker. */
export function workersHaveJoined(roles: readonly KeptRole[]): Condition {
  const workers = roles.filter(({ kind }) => kind === 'worker').length;
  return () => async () => {
    for (const { name, process } of roles.filter(({ kind }) => kind === 'dispatcher')) {
      const usable = await process.metric('mini_platform_members', 'state="usable"');
      if (usable !== workers) return `${name} has ${workers} usable workers, and not ${usable ?? 'none'}`;
    }
    return undefined;
  };
}

/** New writes in a row that must be stored at once: with them, a dispatcher has asked every worker. */
const WRITES_IN_A_ROW = 4;
/** Amounts that no client draws, so that they tell these writes apart. */
const FIRST_AMOUNT = 900_000_000_000_000;

/** New writes are stored at once, whichever dispatcher is asked. */
export function writesAreStored(dispatchers: readonly HttpClient[], ledger: Ledger): Condition {
  let count = 0;
  const write = async (http: HttpClient): Promise<string | undefined> => {
    count += 1;
    const body: EventBody = {
      type: 'transaction',
      sender: CLIENTS[count % CLIENTS.length] ?? '',
      receiver: CLIENTS[(count + 7) % CLIENTS.length] ?? '',
      amount: FIRST_AMOUNT + count,
    };
    const said = await sendWrite(http, ledger, { body, id: `probe-${count}` });
    return said.kind === 'stored' ? undefined : JSON.stringify(said);
  };
  return () => async () => {
    for (const [place, http] of dispatchers.entries()) {
      for (let one = 0; one < WRITES_IN_A_ROW; one += 1) {
        const other = await write(http);
        if (other !== undefined) return `a write through dispatcher ${place + 1} is stored: ${other}`;
      }
    }
    return undefined;
  };
}

/** What is due is sent again at once; being late by this is normal. */
const OVERDUE_MS = 500;

/** Nothing is parked that should have been sent again by now. */
export function nothingIsOverdue(admin: HttpClient): Condition {
  return () => async () => {
    const listed = await listAllParked(admin, 'PARKED');
    if ('kind' in listed) return `what is parked is listed: ${JSON.stringify(listed)}`;
    const overdue = listed.filter(({ dueAt }) => dueAt < Date.now() - OVERDUE_MS);
    const [first] = overdue;
    if (first === undefined) return undefined;
    return `nothing is overdue of what is parked: ${overdue.length} are, such as ${JSON.stringify(first)}`;
  };
}

/** Nothing is parked at all. */
export function nothingIsParked(admin: HttpClient): Condition {
  return () => async () => {
    const listed = await listAllParked(admin, 'PARKED');
    if ('kind' in listed) return `what is parked is listed: ${JSON.stringify(listed)}`;
    return listed.length === 0 ? undefined : `nothing is parked: ${JSON.stringify(listed.slice(0, 5))}`;
  };
}

/** As the archivers are called in the log. */
const ARCHIVERS = 'archiver';

/** All that is in the log when it begins to look is in the archive. */
export function archiveHasCaughtUp(log: EventLog): Condition {
  return () => {
    let ends: ReadonlyMap<number, bigint> | undefined;
    return async () => {
      try {
        ends ??= await endsOf(log);
        const committed = await log.committed(ARCHIVERS, LONG_TERM_STORAGE);
        const behind = [...ends].filter(([partition, end]) => (committed.get(partition) ?? 0n) < end);
        return behind.length === 0 ? undefined : `the archive has caught up: ${describe(behind, committed)}`;
      } catch (error) {
        if (!(error instanceof PortError)) throw error;
        return `the log tells what is archived: ${error.message}`;
      }
    };
  };
}

async function endsOf(log: EventLog): Promise<ReadonlyMap<number, bigint>> {
  const ranges = await log.ranges(LONG_TERM_STORAGE);
  return new Map(ranges.map(({ partition, end }) => [partition, end]));
}

function describe(
  behind: readonly (readonly [number, bigint])[],
  committed: ReadonlyMap<number, bigint>,
): string {
  return behind
    .map(
      ([partition, end]) => `partition ${partition} is at ${committed.get(partition) ?? 'nothing'} of ${end}`,
    )
    .join(', ');
}

/** The feeder has a list of so many names in force. */
export function fraudListIs(roles: readonly KeptRole[], names: number): Condition {
  return () => async () => {
    for (const { process } of roles.filter(({ kind }) => kind === 'feeder')) {
      const known = await process.metric('mini_platform_fraud_list_names');
      if (known !== names) return `a fraud list of ${names} names is in force, and not of ${known ?? 'none'}`;
    }
    return undefined;
  };
}
