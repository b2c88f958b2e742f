import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientLists } from './check/lists.ts';
import type { ClientSets, SinceName } from './check/sets.ts';
import { parseEvent, type StoredEvent } from './events.ts';
import type { HttpClient } from './http-client.ts';

/** A page could not be had: the process died, or it answers what it must not. */
export class ReadFailure extends Error {
  /** Whether the connection was cut, which a killed process explains. */
  readonly cut: boolean;

  constructor(message: string, cut: boolean) {
    super(message);
    this.name = 'ReadFailure';
    this.cut = cut;
  }
}

/** Items in one answer, where a whole list is wanted, and where its beginning is. */
const PAGE = 100;
const SHORT_PAGE = 20;
/** So long a list may be answered 503 before that is taken for a fault. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 100;

/**
 * A client's events, newest first, page after page until `enough` says so, or all of them. Rejects with a
 * ReadFailure.
 */
export async function readEvents(
  http: HttpClient,
  list: 'all' | 'transactions' | 'operations',
  client: string,
  enough?: (events: readonly StoredEvent[]) => boolean,
): Promise<readonly StoredEvent[]> {
  return readList(http, `/fetch/${list}/${encodeURIComponent(client)}`, parseEvent, enough);
}

/** All names of a client's interactions or branches, newest first. Rejects with a ReadFailure. */
export async function readNames(
  http: HttpClient,
  list: 'interactions' | 'branches',
  client: string,
): Promise<readonly SinceName[]> {
  return readList(http, `/fetch/${list}/${encodeURIComponent(client)}`, parseName);
}

/** All lists of all clients. Rejects with a ReadFailure. */
export function readLists(http: HttpClient, clients: readonly string[]): Promise<readonly ClientLists[]> {
  return inTurn(clients, async (client) => {
    const [all, transactions, operations] = await Promise.all([
      readEvents(http, 'all', client),
      readEvents(http, 'transactions', client),
      readEvents(http, 'operations', client),
    ]);
    return { client, all, transactions, operations };
  });
}

/** All sets of all clients. Rejects with a ReadFailure. */
export function readSets(http: HttpClient, clients: readonly string[]): Promise<readonly ClientSets[]> {
  return inTurn(clients, async (client) => {
    const [interactions, branches] = await Promise.all([
      readNames(http, 'interactions', client),
      readNames(http, 'branches', client),
    ]);
    return { client, interactions, branches };
  });
}

const AT_ONCE = 4;

/** Works through a list, a few at a time; the results are in its order. */
export async function inTurn<T, R>(
  list: readonly T[],
  work: (one: T) => Promise<R>,
  atOnce = AT_ONCE,
): Promise<readonly R[]> {
  const results: R[] = [];
  const rest = list.entries();
  const lane = async (): Promise<void> => {
    for (const [place, one] of rest) results[place] = await work(one);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}

async function readList<T>(
  http: HttpClient,
  path: string,
  parse: (item: unknown) => T | undefined,
  enough?: (items: readonly T[]) => boolean,
): Promise<readonly T[]> {
  const limit = enough === undefined ? PAGE : SHORT_PAGE;
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page = await readPage(http, `${path}?limit=${limit}${query}`);
    for (const item of page.items) {
      const parsed = parse(item);
      if (parsed === undefined) throw new ReadFailure(`${path} shows ${JSON.stringify(item)}`, false);
      items.push(parsed);
    }
    cursor = page.cursor;
  } while (cursor !== null && enough?.(items) !== true);
  return items;
}

interface Page {
  readonly items: readonly unknown[];
  readonly cursor: string | null;
}

async function readPage(http: HttpClient, path: string): Promise<Page> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await http.ask({ method: 'GET', path });
    if (answer.kind !== 'answer') throw new ReadFailure(answer.reason, answer.kind === 'cut');
    const { status, retryAfter, body } = answer;
    if (status === 200 && isPage(body)) return body;
    const mayPass = status === 503 && retryAfter !== undefined && performance.now() < end;
    if (!mayPass) throw new ReadFailure(`${path} answers ${status} ${JSON.stringify(body)}`, false);
    await sleep(PAUSE_MS);
  }
}

function isPage(body: unknown): body is Page {
  if (typeof body !== 'object' || body === null || !('items' in body) || !('cursor' in body)) return false;
  return Array.isArray(body.items) && (body.cursor === null || typeof body.cursor === 'string');
}

function parseName(item: unknown): SinceName | undefined {
  if (typeof item !== 'object' || item === null || !('name' in item) || !('since' in item)) return undefined;
  const { name, since } = item;
  return typeof name === 'string' && typeof since === 'string' ? { name, since } : undefined;
}
