import type { MongoClient, TopologyDescription } from 'mongodb';
import type { PortError } from '../../ports/port-error.ts';
import type { ServiceObserver } from '../../ports/service-observer.ts';

/** Types of servers that take writes. */
const WRITABLE: ReadonlySet<string> = new Set(['Standalone', 'RSPrimary', 'Mongos', 'LoadBalancer']);

/** What the driver says of an error, as the port does. */
export type Explain = (error: unknown) => PortError;

/**
 * Tells the observer how the service does: from the driver's monitoring, which notices a loss and a return without any
 * call, and from the calls, since monitoring does not log in and so does not see a refusal.
 */
export class ServiceWatch {
  readonly #observer: ServiceObserver;
  #state: 'unknown' | 'up' | 'down' | 'refused' = 'unknown';
  #wasUp = false;
  #isWritable = false;

  constructor(observer: ServiceObserver) {
    this.#observer = observer;
  }

  /** Listens to a client that has not connected yet, until the function that it returns is called. */
  follow(client: MongoClient, explain: Explain): () => void {
    let isFollowed = true;
    this.#isWritable = false;
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      if (isFollowed) this.#changed(newDescription, explain);
    });
    client.on('serverHeartbeatFailed', ({ failure }) => {
      if (isFollowed && !this.#isWritable) this.failed(explain(failure));
    });
    // Without a listener the driver's word that a server is too old would end the process.
    client.on('error', (error) => {
      if (isFollowed) this.failed(explain(error));
    });
    return () => (isFollowed = false);
  }

  /** A call has been answered. */
  answered(): void {
    if (this.#state === 'up') return;
    const wasLost = this.#state === 'down' && this.#wasUp;
    this.#state = 'up';
    if (wasLost) this.#observer.reconnected();
    this.#wasUp = true;
    this.#observer.up();
  }

  /** The service could not be reached, or refused. */
  failed(error: PortError): void {
    // Of a service that refuses, reaching it proves nothing: only a call that is answered does.
    this.#state = error.kind === 'refused' || this.#state === 'refused' ? 'refused' : 'down';
    this.#observer.down(error);
  }

  #changed({ servers }: TopologyDescription, explain: Explain): void {
    const was = this.#isWritable;
    this.#isWritable = [...servers.values()].some(({ type }) => WRITABLE.has(type));
    if (this.#isWritable && this.#state === 'down') this.answered();
    if (this.#isWritable || !was) return;
    const [error] = [...servers.values()].flatMap((server) => server.error ?? []);
    if (error !== undefined) this.failed(explain(error));
  }
}
