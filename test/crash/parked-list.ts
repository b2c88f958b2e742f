import type { EventBody } from './events.ts';
import type { HttpAnswer, HttpClient, NoAnswer } from './http-client.ts';

/** A parked write, as the administrator's port lists it. */
export interface ParkedItem {
  readonly type: EventBody['type'];
  readonly id: string;
  readonly bodyHash: string;
  readonly cause: string;
  /** When it is sent again next, in ms since the epoch. */
  readonly dueAt: number;
}

/** One page of the writes that wait, or are set aside. The answer itself, when it is no page. */
export async function listParked(
  admin: HttpClient,
  state: 'PARKED' | 'DEAD_LETTER',
  cursor?: string,
): Promise<
  { readonly items: readonly ParkedItem[]; readonly cursor: string | null } | HttpAnswer | NoAnswer
> {
  const more = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
  const answer = await admin.ask({ method: 'GET', path: `/parked?state=${state}&limit=100${more}` });
  if (answer.kind !== 'answer' || answer.status !== 200) return answer;
  const page = answer.body as { readonly items: readonly Listed[]; readonly cursor: string | null };
  const items = page.items.map(({ operation, id, bodyHash, cause, dueAt }) => ({
    type: operation === 'bank.transaction' ? ('transaction' as const) : ('operation' as const),
    id,
    bodyHash,
    cause,
    dueAt: Date.parse(dueAt),
  }));
  return { items, cursor: page.cursor };
}

interface Listed {
  readonly operation: string;
  readonly id: string;
  readonly bodyHash: string;
  readonly cause: string;
  readonly dueAt: string;
}

/** All pages of them. The answer itself, when it is no page. */
export async function listAllParked(
  admin: HttpClient,
  state: 'PARKED' | 'DEAD_LETTER',
): Promise<readonly ParkedItem[] | HttpAnswer | NoAnswer> {
  const items: ParkedItem[] = [];
  let cursor: string | undefined;
  do {
    const page = await listParked(admin, state, cursor);
    if (!('items' in page)) return page;
    items.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

/** Has a parked write sent again now. */
export function retryParked(admin: HttpClient, item: ParkedItem): Promise<HttpAnswer | NoAnswer> {
  return admin.ask({ method: 'POST', path: pathOf(item, '/retry') });
}

/** Gives a parked write up. */
export function discardParked(admin: HttpClient, item: ParkedItem): Promise<HttpAnswer | NoAnswer> {
  return admin.ask({ method: 'DELETE', path: pathOf(item, '') });
}

function pathOf({ type, id, bodyHash }: ParkedItem, action: string): string {
  return `/parked/bank.${type}/${encodeURIComponent(id)}${action}?bodyHash=${encodeURIComponent(bodyHash)}`;
}
