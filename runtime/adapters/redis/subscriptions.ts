import type { Connection } from './connection.ts';
import type { Link } from './link.ts';

type Handler = (message: string) => void;

/** What this process is subscribed to, over however many connections, one after the other. */
export class Subscriptions {
  readonly #handlers = new Map<string, Set<Handler>>();

  /** Subscribes a new connection to all channels; resolves to it. Gives it up when that fails. */
  async restore(connection: Connection): Promise<Connection> {
    const subscribed = connection.run(async (client) => {
      client.on('message', (channel: string, message: string) => this.#deliver(channel, message));
      if (this.#handlers.size > 0) await client.subscribe(...this.#handlers.keys());
    });
    try {
      await subscribed;
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Calls the handler for each message from now on, also after reconnects. Resolves when the server knows. */
  async add(link: Link, channel: string, handler: Handler): Promise<() => Promise<void>> {
    // A function of its own: the same handler may be subscribed twice.
    const own: Handler = (message) => handler(message);
    const handlers = this.#handlers.get(channel) ?? new Set();
    this.#handlers.set(channel, handlers.add(own));
    const remove = (): boolean => {
      handlers.delete(own);
      return (
        handlers.size === 0 && this.#handlers.get(channel) === handlers && this.#handlers.delete(channel)
      );
    };
    try {
      await link.use('cache.subscribe', (connection) =>
        connection.run((client) => client.subscribe(channel)),
      );
    } catch (error) {
      remove();
      throw error;
    }
    return async () => {
      if (!remove() || link.server === undefined) return;
      const unsubscribed = link.use('cache.unsubscribe', (connection) =>
        connection.run((client) => client.unsubscribe(channel)),
      );
      // Where the server does not hear of it, the connection is lost, and the subscription with it.
      await unsubscribed.catch(() => {});
    };
  }

  #deliver(channel: string, message: string): void {
    for (const handler of [...(this.#handlers.get(channel) ?? [])]) handler(message);
  }
}
