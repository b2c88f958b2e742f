import type { PortError } from '../../ports/port-error.ts';
import type { ServiceObserver } from '../../ports/service-observer.ts';
import { toPortError } from './failure.ts';

/** Tells the observer how the cluster does, each change once. */
export class Health {
  readonly #observer: ServiceObserver;
  #state: 'unknown' | 'up' | 'down' = 'unknown';
  #downSince = 0;
  /** Connections that were lost while they were of use, by what they are for. */
  readonly #lost = new Set<string>();

  constructor(observer: ServiceObserver) {
    this.#observer = observer;
  }

  /** For how long it has been away, in ms; 0 while it is not. */
  get downMs(): number {
    return this.#state === 'down' ? performance.now() - this.#downSince : 0;
  }

  /** A broker answered. */
  up(): void {
    if (this.#state === 'up') return;
    this.#state = 'up';
    this.#observer.up();
  }

  /** A try failed. */
  down(error: unknown): void {
    if (this.#state !== 'down') this.#downSince = performance.now();
    this.#state = 'down';
    const told: PortError = toPortError('event-log.connect', error);
    this.#observer.down(told);
  }

  lost(connection: string): void {
    this.#lost.add(connection);
  }

  connected(connection: string): void {
    if (this.#lost.delete(connection)) this.#observer.reconnected();
    this.up();
  }

  sent(request: string, items: number): void {
    this.#observer.sent(request, items);
  }
}
