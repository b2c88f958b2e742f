import { setTimeout as sleep } from 'node:timers/promises';
import type { Violation } from './check/violation.ts';
import { keyOf } from './events.ts';
import type { HttpAnswer, HttpClient, NoAnswer } from './http-client.ts';
import type { Ledger } from './ledger.ts';
import { discardParked, listParked, type ParkedItem, retryParked } from './parked-list.ts';
import type { Random } from './random.ts';

export interface AdministratorOptions {
  readonly ledger: Ledger;
  readonly random: Random;
  readonly report: (violation: Violation) => void;
  /** Sees each page of dead letters before anything is done about one. */
  readonly onDeadLetters?: (items: readonly ParkedItem[]) => void;
}

const PAUSE_MS = 100;
const DISCARD_SHARE = 0.3;

/** Answers that are right beside success: the write was decided meanwhile, or it cannot be told now. */
const FINE = new Set(['404 NOT_PARKED', '409 ALREADY_DECIDED', '503 STATE_UNKNOWN', '503 NOT_ATTEMPTED']);

/** Looks at what is parked now and then, has some of it sent again, and discards some. */
export class Administrator {
  readonly #options: AdministratorOptions;

  constructor(options: AdministratorOptions) {
    this.#options = options;
  }

  /** Works with one run of the platform until it is dead, or the signal aborts. Never rejects. */
  async work(admin: HttpClient, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!(await this.#lookOnce(admin))) return;
      await sleep(PAUSE_MS);
    }
  }

  /** Resolves to whether the platform is still there. */
  async #lookOnce(admin: HttpClient): Promise<boolean> {
    const { random, onDeadLetters } = this.#options;
    const state = random.pick(['PARKED', 'DEAD_LETTER'] as const);
    const page = await listParked(admin, state);
    if (!('items' in page)) return this.#judge(page, `the list of ${state}`);
    if (state === 'DEAD_LETTER') onDeadLetters?.(page.items);
    if (page.items.length === 0) return true;
    const item = random.pick(page.items);
    return random.chance(DISCARD_SHARE) ? this.#discard(admin, item) : this.#retry(admin, item);
  }

  async #retry(admin: HttpClient, item: ParkedItem): Promise<boolean> {
    return this.#judge(await retryParked(admin, item), `retry of ${keyOf(item)}`);
  }

  async #discard(admin: HttpClient, item: ParkedItem): Promise<boolean> {
    const { ledger } = this.#options;
    const subject = keyOf(item);
    const history = ledger.find(item.type, item.id);
    if (history === undefined) {
      // Perhaps the platform made its id, and the client was never told.
      return true;
    }
    ledger.discard(history, 'asked');
    const answer = await discardParked(admin, item);
    if (answer.kind === 'answer' && answer.status === 200) ledger.discard(history, 'done');
    return this.#judge(answer, `discard of ${subject}`);
  }

  #judge(answer: HttpAnswer | NoAnswer, subject: string): boolean {
    if (answer.kind === 'cut') return false;
    const found = answer.kind === 'answer' ? labelOf(answer) : answer.reason;
    if (found !== '200' && found !== '202' && !FINE.has(found)) {
      this.#options.report({ kind: 'odd-answer', subject, said: 'an administrator asked', found });
    }
    return answer.kind === 'answer';
  }
}

function labelOf({ status, body }: HttpAnswer): string {
  const code: unknown = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
  return typeof code === 'string' ? `${status} ${code}` : String(status);
}
