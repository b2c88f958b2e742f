import { closeSync, openSync, writeSync } from 'node:fs';
import { type EventBody, keyOf, type StoredEvent } from './events.ts';

/** What the platform said to one request that writes. */
export type Said =
  | { readonly kind: 'stored'; readonly status: 200 | 201; readonly event: StoredEvent }
  /** 202: it is kept and will be decided about; `location` tells what became of it. */
  | { readonly kind: 'parked'; readonly location: string; readonly id: string }
  /** 422 FRAUDULENT. */
  | { readonly kind: 'refused'; readonly id: string }
  /** 409 EVENT_DISCARDED. */
  | { readonly kind: 'discarded'; readonly id: string }
  /** 422 IDEMPOTENCY_KEY_REUSED: the id is another body's. */
  | { readonly kind: 'key-reused'; readonly id: string }
  /** 503 NOT_ATTEMPTED: nothing was done. */
  | { readonly kind: 'not-attempted' }
  /** 503 OUTCOME_UNKNOWN. */
  | { readonly kind: 'unknown' }
  /** The connection broke: the process was killed. */
  | { readonly kind: 'cut' }
  /** Something that must not happen; `what` says it. */
  | { readonly kind: 'odd'; readonly what: string };

/** One request that writes, and what was said to it. */
export interface Attempt {
  /** Place in the order of all requests and answers: what has a lower one came before. */
  readonly tick: number;
  readonly body: EventBody;
  /** In ms since the epoch. */
  readonly sentAt: number;
  /** Undefined while there is no answer. */
  answered: Answered | undefined;
}

export interface Answered {
  readonly tick: number;
  readonly said: Said;
}

/** All that a client did and heard about one event. */
export interface EventHistory {
  readonly type: EventBody['type'];
  /** Undefined while the client has left the id to the platform and was not told it. */
  id: string | undefined;
  readonly attempts: Attempt[];
  /** What an administrator has done about it: only that is a reason to be discarded. */
  discard: 'no' | 'asked' | 'done';
}

/** Told of each answer, when the ledger has it. */
export type AnswerListener = (history: EventHistory, said: Said) => void;

/** Where the ledger writes itself down, one line for each request and answer. */
export type Journal = (line: string) => void;

/**
 * The clients' own log: what they sent and what they were told, which alone is held against the platform. It is
 * only ever added to; the journal has each line before the request leaves and before the answer is used.
 */
export class Ledger {
  readonly #journal: Journal;
  readonly #byKey = new Map<string, EventHistory>();
  readonly #unnamed = new Set<EventHistory>();
  #ticks = 0;
  #answered = 0;
  #listener: AnswerListener = () => {};

  constructor(journal: Journal = () => {}) {
    this.#journal = journal;
  }

  /** How many answers came so far, those of broken connections left out. */
  get answered(): number {
    return this.#answered;
  }

  /** Every event, those whose id was never told among them. */
  get histories(): readonly EventHistory[] {
    return [...this.#byKey.values(), ...this.#unnamed];
  }

  find(type: EventBody['type'], id: string): EventHistory | undefined {
    return this.#byKey.get(keyOf({ type, id }));
  }

  /** A request is about to leave. */
  send(body: EventBody, id: string | undefined, sentAt: number): { history: EventHistory; attempt: Attempt } {
    const history = this.#historyOf(body.type, id);
    const attempt: Attempt = { tick: (this.#ticks += 1), body, sentAt, answered: undefined };
    this.#journal(JSON.stringify({ sent: attempt.tick, at: sentAt, id, body }));
    history.attempts.push(attempt);
    return { history, attempt };
  }

  /** An answer has come, or will not come. */
  answer(history: EventHistory, attempt: Attempt, said: Said): void {
    this.#journal(JSON.stringify({ answered: attempt.tick, said }));
    if (said.kind !== 'cut') this.#answered += 1;
    const named = this.#named(history, said);
    attempt.answered = { tick: (this.#ticks += 1), said: named };
    this.#listener(history, named);
  }

  /** Calls back on each answer from now on; there is one listener. */
  listen(listener: AnswerListener): void {
    this.#listener = listener;
  }

  /** An administrator is about to ask that the event be given up, or was told that it is. */
  discard(history: EventHistory, progress: 'asked' | 'done'): void {
    this.#journal(JSON.stringify({ discard: progress, id: history.id, type: history.type }));
    if (history.discard !== 'done') history.discard = progress;
  }

  /** Takes down the id that the platform has made, if it did; one that is another event's is odd. */
  #named(history: EventHistory, said: Said): Said {
    const id = idIn(said);
    if (history.id !== undefined || id === undefined) return said;
    const { type } = history;
    if (this.find(type, id) !== undefined)
      return { kind: 'odd', what: `it made the id ${id}, which is taken` };
    history.id = id;
    this.#unnamed.delete(history);
    this.#byKey.set(keyOf({ type, id }), history);
    return said;
  }

  #historyOf(type: EventBody['type'], id: string | undefined): EventHistory {
    const known = id === undefined ? undefined : this.find(type, id);
    if (known !== undefined) return known;
    const history: EventHistory = { type, id, attempts: [], discard: 'no' };
    if (id === undefined) this.#unnamed.add(history);
    else this.#byKey.set(keyOf({ type, id }), history);
    return history;
  }
}

/** A journal in a file, which is only ever added to. */
export function fileJournal(file: string): { readonly write: Journal; readonly close: () => void } {
  const descriptor = openSync(file, 'a');
  return { write: (line) => void writeSync(descriptor, `${line}\n`), close: () => closeSync(descriptor) };
}

/** An attempt with its answer. */
export type Heard = Pick<Attempt, 'body' | 'tick'> & { readonly said: Said; readonly heardAt: number };

/** What was said so far about an event, in the order in which it was heard. */
export function heard({ attempts }: EventHistory): readonly Heard[] {
  return attempts
    .flatMap(({ body, tick, answered }) =>
      answered === undefined ? [] : [{ body, tick, said: answered.said, heardAt: answered.tick }],
    )
    .sort((a, b) => a.heardAt - b.heardAt);
}

function idIn(said: Said): string | undefined {
  if (said.kind === 'stored') return said.event.id;
  return 'id' in said ? said.id : undefined;
}
