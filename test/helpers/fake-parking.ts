import type { NewParkedWrite, ParkedWrite } from '../../runtime/parking/parked-write.ts';
import type { ListOptions, ParkedPage, Parking } from '../../runtime/parking/parking.ts';
import { PortError } from '../../runtime/ports/port-error.ts';

const NOW = 1_700_000_000_000;

/** A parked write with what the test does not care about filled in. */
export function parkedWrite(some: Partial<ParkedWrite> = {}): ParkedWrite {
  return {
    operation: 'bank.transaction',
    eventId: 'key-1',
    bodyHash: 'hash-1',
    request: new Uint8Array([1]),
    state: 'PARKED',
    parkedAt: NOW,
    dueAt: NOW + 1_000,
    attempts: 0,
    cause: 'STORE_UNAVAILABLE',
    message: 'away',
    ...some,
  };
}

/** Parking in memory, without resends. A test makes it fail by method. */
export class FakeParking implements Parking {
  writes: ParkedWrite[] = [];
  readonly #failing = new Set<keyof Parking>();
  started = 0;
  stopped = 0;
  /** How often each method was called. */
  readonly calls = new Map<keyof Parking, number>();

  /** From now on these methods reject: what they need is away. */
  fail(...methods: readonly (keyof Parking)[]): void {
    for (const method of methods) this.#failing.add(method);
  }

  start(): void {
    this.started += 1;
  }

  stop(): Promise<void> {
    this.stopped += 1;
    return Promise.resolve();
  }

  async park(write: NewParkedWrite): Promise<void> {
    await this.#called('park');
    if (this.writes.some((each) => isSame(each, write))) return;
    this.writes.push({ ...write, state: 'PARKED', parkedAt: NOW, dueAt: NOW + 1_000, attempts: 0 });
  }

  parkedBodies(operation: string, eventId: string): Promise<readonly string[]> | undefined {
    if (this.writes.length === 0) return undefined;
    return this.#called('parkedBodies').then(() =>
      this.#under(operation, eventId).map(({ bodyHash }) => bodyHash),
    );
  }

  async find(operation: string, eventId: string): Promise<readonly ParkedWrite[]> {
    await this.#called('find');
    return this.#under(operation, eventId);
  }

  async list({ state, limit, after }: ListOptions): Promise<ParkedPage> {
    await this.#called('list');
    const all = this.writes
      .filter((write) => write.state === state)
      .sort((a, b) => b.dueAt - a.dueAt || (idOf(a) < idOf(b) ? 1 : -1));
    const from = after === undefined ? 0 : all.findIndex((write) => idOf(write) === after.id) + 1;
    const writes = all.slice(from, from + limit);
    const last = writes.at(-1);
    const isMore = from + limit < all.length;
    return { writes, next: isMore && last !== undefined ? { dueAt: last.dueAt, id: idOf(last) } : undefined };
  }

  async retry(write: ParkedWrite): Promise<void> {
    await this.#called('retry');
    this.writes = this.writes.map((each) =>
      isSame(each, write) ? { ...each, state: 'PARKED', attempts: 0, dueAt: NOW } : each,
    );
  }

  async resolve(write: ParkedWrite): Promise<void> {
    await this.#called('resolve');
    this.writes = this.writes.filter((each) => !isSame(each, write));
  }

  #called(method: keyof Parking): Promise<void> {
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    if (!this.#failing.has(method)) return Promise.resolve();
    return Promise.reject(new PortError('unavailable', `parking.${method}`, 'away'));
  }

  #under(operation: string, eventId: string): readonly ParkedWrite[] {
    return this.writes.filter((write) => write.operation === operation && write.eventId === eventId);
  }
}

function idOf({ operation, eventId, bodyHash }: NewParkedWrite): string {
  return `${operation}\n${eventId}\n${bodyHash}`;
}

function isSame(one: NewParkedWrite, other: NewParkedWrite): boolean {
  return idOf(one) === idOf(other);
}
