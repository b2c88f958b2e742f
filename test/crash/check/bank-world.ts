import { type EventBody, keyOf, type StoredEvent } from '../events.ts';
import { type EventHistory, Ledger, type Said } from '../ledger.ts';
import { type ClientLists, readLists } from './lists.ts';

const START = Date.UTC(2026, 0, 1);

export function transfer(sender: string, receiver: string, amount = 1): EventBody {
  return { type: 'transaction', sender, receiver, amount };
}

export function deposit(client: string, branch: string, amount = 1): EventBody {
  return { type: 'operation', client, branch, amount, operationType: 'DEPOSIT' };
}

/** A ledger, and a platform that keeps its word: the tests then break it. */
export class BankWorld {
  readonly ledger = new Ledger();
  readonly stored: StoredEvent[] = [];
  #events = 0;

  /** A client sends a write and is told this. */
  tell(body: EventBody, id: string | undefined, said: Said): EventHistory {
    const { history, attempt } = this.ledger.send(body, id, START);
    this.ledger.answer(history, attempt, said);
    return history;
  }

  /** A write that was stored, one second after the last one. */
  store(body: EventBody, id = `e${this.#events + 1}`): StoredEvent {
    this.#events += 1;
    const event: StoredEvent = { ...body, id, at: new Date(START + this.#events * 1_000).toISOString() };
    this.stored.push(event);
    return event;
  }

  /** A write that was stored and acknowledged. */
  acknowledge(body: EventBody, id?: string): StoredEvent {
    const event = this.store(body, id);
    this.tell(body, event.id, { kind: 'stored', status: 201, event });
    return event;
  }

  /** What the lists of these clients show. */
  lists(clients: readonly string[]): ClientLists[] {
    return clients.map((client) => {
      const all = this.stored
        .filter((event) =>
          event.type === 'transaction'
            ? event.sender === client || event.receiver === client
            : event.client === client,
        )
        .reverse();
      return {
        client,
        all,
        transactions: all.filter(({ type }) => type === 'transaction'),
        operations: all.filter(({ type }) => type === 'operation'),
      };
    });
  }

  storedByKey(): ReadonlyMap<string, StoredEvent> {
    return new Map(this.stored.map((event) => [keyOf(event), event]));
  }

  /** Lists that show what is stored, read. */
  read(clients: readonly string[]): ReturnType<typeof readLists> {
    return readLists(this.lists(clients));
  }
}
