import { setTimeout as sleep } from 'node:timers/promises';
import { Administrator } from '../crash/administrator.ts';
import { keyOf } from '../crash/events.ts';
import type { Ports } from '../crash/check/everything.ts';
import { Clients } from '../crash/clients.ts';
import type { ParkedItem } from '../crash/parked-list.ts';
import type { Random } from '../crash/random.ts';
import type { Evidence } from './evidence.ts';

const CLIENTS_AT_ONCE = 10;
/** About 30 requests a second in all: the faults are the subject, not the load. */
const REST_MS = 300;
const PAUSE_MS = 100;

/** Clients, and an administrator, who are there all the time and go on when a connection breaks. */
export class Load {
  readonly #ports: Ports;
  readonly #clients: Clients;
  readonly #administrator: Administrator;
  #over = new AbortController();
  #administration = Promise.resolve();

  constructor({ ledger, report }: Pick<Evidence, 'ledger' | 'report'>, ports: Ports, random: Random) {
    this.#ports = ports;
    this.#clients = new Clients({
      ledger,
      report,
      random: random.fork('clients'),
      count: CLIENTS_AT_ONCE,
      restMs: REST_MS,
      whenCut: 'go-on',
    });
    this.#administrator = new Administrator({
      ledger,
      report,
      random: random.fork('administrator'),
      onDeadLetters: (items) => items.filter(isNeedless).forEach((item) => report(needless(item))),
    });
  }

  resume(): void {
    this.#over = new AbortController();
    this.#clients.resume(this.#ports.http);
    this.#administration = this.#administer(this.#over.signal);
  }

  /** Resolves when all that was asked is answered. */
  async pause(): Promise<void> {
    this.#over.abort();
    await Promise.all([this.#clients.pause(), this.#administration]);
  }

  async end(): Promise<void> {
    await this.pause();
    await this.#clients.end();
  }

  async #administer(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#administrator.work(this.#ports.admin, signal);
      await sleep(PAUSE_MS);
    }
  }
}

/** What is away makes no dead letter, and no write of these clients fails by itself: a key that is reused is left. */
function isNeedless({ cause }: ParkedItem): boolean {
  return cause !== 'KEY_REUSED';
}

function needless(item: ParkedItem): Parameters<Evidence['report']>[0] {
  return {
    kind: 'undecided',
    subject: keyOf(item),
    said: 'a service that is away makes no dead letter',
    found: `it is a dead letter: ${item.cause}`,
  };
}
