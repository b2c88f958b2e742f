import type { Violation } from './check/violation.ts';
import { clientsOf, type EventBody, keyOf, type StoredEvent } from './events.ts';
import type { HttpClient } from './http-client.ts';
import type { Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import { ReadFailure, readEvents, readNames } from './reads.ts';
import { sendWrite } from './send-write.ts';
import { changeBody, CLIENTS, drawBody } from './writes.ts';

export interface ActorOptions {
  readonly ledger: Ledger;
  readonly random: Random;
  readonly report: (violation: Violation) => void;
}

/** What a client does next, and how often. */
const ACTIONS = {
  write: 58,
  /** A key that it has used before, with the same body. */
  again: 12,
  /** The same with another body. */
  changed: 4,
  /** Twice at the same moment. */
  twins: 4,
  changedTwins: 3,
  /** Without a key: the platform makes the id. */
  unnamed: 5,
  readEvents: 8,
  readNames: 6,
} as const;

interface Write {
  readonly id: string;
  readonly body: EventBody;
}

/** How many of its last writes a client may send again. */
const REMEMBERED = 200;

/** One client. What it does follows from its random source alone, not from how fast it is answered. */
export class Actor {
  readonly #options: ActorOptions;
  readonly #random: Random;
  /** Apart, because how often something goes wrong must not change what comes next. */
  readonly #reactions: Random;
  readonly #number: number;
  readonly #writes: Write[] = [];
  #count = 0;
  #lastStored: StoredEvent | undefined;
  #retry: Write | undefined;
  #wasCut = false;

  constructor(options: ActorOptions, random: Random, number: number) {
    this.#options = options;
    this.#random = random;
    this.#reactions = random.fork('reactions');
    this.#number = number;
  }

  /** Does one thing; resolves to whether the connection broke meanwhile. */
  async act(http: HttpClient): Promise<boolean> {
    this.#wasCut = false;
    const retry = this.#retry;
    this.#retry = undefined;
    if (retry === undefined) await this.#act(http);
    else await this.#send(http, retry.body, retry.id);
    return this.#wasCut;
  }

  async #act(http: HttpClient): Promise<void> {
    const action = this.#random.weighted(ACTIONS);
    const earlier = this.#writes.length === 0 ? undefined : this.#random.pick(this.#writes);
    switch (action) {
      case 'again':
        return this.#repeat(http, earlier, (body) => body);
      case 'changed':
        return this.#repeat(http, earlier, changeBody);
      case 'twins':
        return this.#write(http, (body) => [body, body]);
      case 'changedTwins':
        return this.#write(http, (body) => [body, changeBody(body)]);
      case 'unnamed':
        await this.#send(http, this.#draw(), undefined);
        return;
      case 'readEvents':
        return this.#read(() => this.#readEvents(http));
      case 'readNames':
        return this.#read(() => this.#readNames(http));
      case 'write':
        return this.#write(http, (body) => [body]);
    }
  }

  async #repeat(
    http: HttpClient,
    write: Write | undefined,
    change: (body: EventBody) => EventBody,
  ): Promise<void> {
    if (write !== undefined) await this.#send(http, change(write.body), write.id);
  }

  async #write(http: HttpClient, bodies: (body: EventBody) => readonly EventBody[]): Promise<void> {
    const body = this.#draw();
    const id = `k${this.#number}-${this.#count}`;
    this.#writes.push({ id, body });
    if (this.#writes.length > REMEMBERED) this.#writes.shift();
    await Promise.all(bodies(body).map((one) => this.#send(http, one, id)));
  }

  #draw(): EventBody {
    this.#count += 1;
    return drawBody(this.#random, this.#number * 1_000_000_000 + this.#count);
  }

  async #send(http: HttpClient, body: EventBody, id: string | undefined): Promise<void> {
    const { ledger } = this.#options;
    const said = await sendWrite(http, ledger, { body, id, inBody: this.#count % 3 === 0 });
    if (said.kind === 'stored') this.#lastStored = said.event;
    if (said.kind === 'cut') this.#wasCut = true;
    const isOpen = said.kind === 'cut' || said.kind === 'unknown' || said.kind === 'not-attempted';
    // The others are never sent again, before the end of the run.
    if (isOpen && id !== undefined && this.#reactions.chance(0.5)) this.#retry = { id, body };
  }

  async #read(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
      if (error.cut) this.#wasCut = true;
      else this.#report('odd-answer', 'a read', 'answered', error.message);
    }
  }

  /** What was acknowledged to this client, it can read. */
  async #readEvents(http: HttpClient): Promise<void> {
    const stored = this.#lastStored;
    const [client = ''] = stored === undefined ? CLIENTS : clientsOf(stored);
    const at = stored?.at ?? '';
    const events = await readEvents(http, 'all', client, (page) => (page.at(-1)?.at ?? '') < at);
    if (stored === undefined || events.some((event) => keyOf(event) === keyOf(stored))) return;
    this.#report('lost', keyOf(stored), JSON.stringify(stored), `not in fetch/all/${client}`);
  }

  async #readNames(http: HttpClient): Promise<void> {
    const stored = this.#lastStored;
    if (stored === undefined) return;
    const [list, client, name] =
      stored.type === 'operation'
        ? (['branches', stored.client, stored.branch] as const)
        : (['interactions', stored.sender, stored.receiver] as const);
    if (client === name) return;
    const names = await readNames(http, list, client);
    if (names.some((one) => one.name === name && one.since <= stored.at)) return;
    this.#report('bad-set', `fetch/${list}/${client}`, JSON.stringify(stored), JSON.stringify(names));
  }

  #report(kind: Violation['kind'], subject: string, said: string, found: string): void {
    this.#options.report({ kind, subject, said, found });
  }
}
