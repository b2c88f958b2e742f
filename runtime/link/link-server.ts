import type { handleBidiStreamingCall, Server } from '@grpc/grpc-js';
import type { Clock } from '../clock.ts';
import {
  LinkServiceService,
  type OpenRequest,
  type OpenResponse,
} from '../generated/miniplatform/link/v1/link.ts';
import { type LinkHost, LinkSession } from './link-session.ts';
import type { LinkLimits } from './protocol.ts';

export interface LinkServerOptions {
  readonly host: LinkHost;
  readonly clock: Clock;
  readonly limits: LinkLimits;
  readonly listener: LinkServerListener;
}

/** Told of links by the id of their dispatcher. */
export interface LinkServerListener {
  onOpened(dispatcherId: string): void;
  onClosed(dispatcherId: string, reason: string): void;
  /** A stream ended before its handshake was done. */
  onRefused(reason: string): void;
}

/** The worker's side of all its links: one session for each dispatcher that has opened one. */
export class LinkServer {
  readonly #options: LinkServerOptions;
  /** Sessions whose handshake is done, with their dispatcher. */
  readonly #sessions = new Map<LinkSession, string>();
  readonly #waiting: (() => void)[] = [];
  #leaving = false;

  constructor(options: LinkServerOptions) {
    this.#options = options;
  }

  get links(): number {
    return this.#sessions.size;
  }

  get inFlight(): number {
    let count = 0;
    for (const session of this.#sessions.keys()) count += session.inFlight;
    return count;
  }

  /** Serves links on a gRPC server, which the caller binds and shuts down. */
  register(server: Server): void {
    const open: handleBidiStreamingCall<OpenRequest, OpenResponse> = (stream) => {
      const { host, clock, limits, listener } = this.#options;
      const session = new LinkSession({
        stream,
        clock,
        limits,
        host,
        onOpened: (dispatcherId) => {
          this.#sessions.set(session, dispatcherId);
          listener.onOpened(dispatcherId);
          if (this.#leaving) session.leave();
        },
        onClosed: (reason) => {
          const dispatcherId = this.#sessions.get(session);
          if (dispatcherId === undefined) listener.onRefused(reason);
          else this.#closed(session, dispatcherId, reason);
        },
      });
    };
    server.addService(LinkServiceService, { open });
  }

  /** Asks every dispatcher to send no more; they end their links when nothing is in flight. */
  leave(): void {
    this.#leaving = true;
    for (const session of this.#sessions.keys()) session.leave();
  }

  /** Resolves when no link is left. */
  async ended(): Promise<void> {
    if (this.#sessions.size === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Ends every link at once. */
  close(reason: string): void {
    for (const session of [...this.#sessions.keys()]) session.close(reason);
  }

  #closed(session: LinkSession, dispatcherId: string, reason: string): void {
    this.#sessions.delete(session);
    this.#options.listener.onClosed(dispatcherId, reason);
    if (this.#sessions.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
