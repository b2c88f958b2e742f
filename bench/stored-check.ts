import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 25;
const CLIENT = 'stored-check';

interface Page {
  readonly items: readonly { readonly id: string }[];
  readonly cursor: string | null;
}

/** A client of its own that writes while the load runs, and knows what it was answered. */
export interface StoredCheck {
  /** Writes one transaction after the other until the work is done. */
  beside<T>(work: Promise<T>): Promise<T>;
  /** Writes that were answered 201. */
  answered(): readonly string[];
  /** Ids of the client's transactions, as all pages of /fetch/all show them. */
  stored(): Promise<readonly string[]>;
}

/** Checks the platform at a URL: what was answered 201 must be there afterwards, once each. */
export function checkStored(url: string): StoredCheck {
  const answered: string[] = [];
  return {
    beside: async (work) => {
      let done = false;
      const writing = writeUntil(url, answered, () => done);
      // Told when the work is done; until then nobody waits for it.
      writing.catch(() => {});
      try {
        return await work;
      } finally {
        done = true;
        await writing;
      }
    },
    answered: () => answered,
    stored: () => fetchAll(url),
  };
}

async function writeUntil(url: string, answered: string[], isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    const response = await fetch(`${url}/transaction`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sender: CLIENT, receiver: 'c0', amount: answered.length + 1 }),
    });
    const body = await response.text();
    if (response.status !== 201) throw new Error(`the check's transaction got ${response.status}: ${body}`);
    answered.push((JSON.parse(body) as { readonly id: string }).id);
    await sleep(PAUSE_MS);
  }
}

async function fetchAll(url: string): Promise<readonly string[]> {
  const ids: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const response = await fetch(`${url}/fetch/all/${CLIENT}?limit=100${query}`);
    if (!response.ok) throw new Error(`fetching what was stored got ${response.status}`);
    const page = (await response.json()) as Page;
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.cursor;
  }
  return ids;
}

/** Says what is wrong with the stored ids, or nothing. */
export function differenceOf(answered: readonly string[], stored: readonly string[]): readonly string[] {
  const there = new Set(stored);
  const lost = answered.filter((id) => !there.has(id)).length;
  const doubled = stored.length - there.size;
  const unexplained = there.size + lost - answered.length;
  return [
    ...(lost > 0 ? [`${lost} transactions were answered 201 and are not stored`] : []),
    ...(doubled > 0 ? [`${doubled} transactions are stored twice`] : []),
    ...(unexplained > 0 ? [`${unexplained} transactions are stored and were not answered 201`] : []),
  ];
}
