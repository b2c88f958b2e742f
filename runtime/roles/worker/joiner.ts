import { type ChannelCredentials, Metadata } from '@grpc/grpc-js';
import { Backoff } from '../../backoff.ts';
import { type Clock, pause } from '../../clock.ts';
import {
  type JoinRequest,
  type JoinResponse,
  JoinStatus,
  MembershipServiceClient,
  RejectReason,
} from '../../generated/miniplatform/membership/v1/membership.ts';
import { PROTOCOL_VERSION } from '../../link/protocol.ts';
import type { Logger } from '../../logging.ts';
import type { DispatcherDirectory } from '../../ports/membership.ts';
import type { DispatcherLinks } from './dispatcher-links.ts';

export interface JoinerOptions {
  /** Host and port of one dispatcher. */
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly directory: DispatcherDirectory;
  readonly bootId: string;
  /** Port of this worker's link server. */
  readonly port: number;
  readonly links: DispatcherLinks;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A dispatcher answered JOINED: from now on it may open a link. */
  readonly onJoined: () => void;
  /** A dispatcher did not take this worker; for /readyz. */
  readonly onRefused: (reason: string) => void;
}

const JOIN_TIMEOUT_MS = 3_000;
const LINK_TIMEOUT_MS = 5_000;

/** Keeps this worker a member of one dispatcher: joins, waits for the link, and joins again when it is lost. */
export class Joiner {
  readonly #options: JoinerOptions;
  readonly #client: MembershipServiceClient;
  readonly #stop = new AbortController();
  /** Short: a dispatcher that has started again has no other way to its workers. */
  readonly #backoff = new Backoff(100, 1_000);
  readonly #done: Promise<void>;
  /** Why it was not joined, as it was logged last; undefined while it is. */
  #told: string | undefined;

  constructor(options: JoinerOptions) {
    this.#options = options;
    this.#client = new MembershipServiceClient(options.address, options.credentials, {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#done = this.#run();
  }

  /** Stops joining; links that stand are left alone. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#client.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, logger, address, onRefused } = this.#options;
    const isStopped = (): boolean => signal.aborted;
    while (!isStopped()) {
      const refusal = await this.#joinAndStay();
      if (isStopped()) return;
      if (refusal !== undefined) onRefused(`${address}: ${refusal}`);
      if (refusal !== undefined && refusal !== this.#told) {
        logger.warn({ dispatcher: address, reason: refusal }, 'not joined; trying again');
        this.#told = refusal;
      }
      await pause(clock, this.#backoff.next(), signal);
    }
  }

  /** Joins and returns when the link is lost (undefined), or at once with why it was not joined. */
  async #joinAndStay(): Promise<string | undefined> {
    const { links, address, logger } = this.#options;
    const { signal } = this.#stop;
    let response: JoinResponse;
    try {
      response = await this.#join();
    } catch (error) {
      return `the dispatcher does not answer (${error instanceof Error ? error.message : String(error)})`;
    }
    if (response.status !== JoinStatus.JOINED) return describe(response);
    this.#options.onJoined();
    const opened = await links.opened(response.dispatcherId, LINK_TIMEOUT_MS, signal);
    if (!opened) return `the dispatcher opened no link within ${LINK_TIMEOUT_MS} ms`;
    this.#backoff.reset();
    this.#told = undefined;
    logger.info({ dispatcher: address }, 'joined');
    await links.closed(response.dispatcherId, signal);
    if (!signal.aborted) logger.warn({ dispatcher: address }, 'the link is lost; joining again');
    return undefined;
  }

  async #join(): Promise<JoinResponse> {
    const { directory, bootId, port } = this.#options;
    const { uid, token } = await directory.identity();
    const request: JoinRequest = { uid, token, bootId, port, protocolVersion: PROTOCOL_VERSION };
    return new Promise((resolve, reject) => {
      this.#client.join(
        request,
        new Metadata(),
        { deadline: Date.now() + JOIN_TIMEOUT_MS },
        (error, response) => {
          if (error === null) resolve(response);
          else reject(error);
        },
      );
    });
  }
}

const REASONS: ReadonlyMap<number, string> = new Map(
  Object.entries(RejectReason).map(([name, value]) => [value, name]),
);

function describe({ status, reason, message }: JoinResponse): string {
  const outcome =
    status === JoinStatus.REJECTED
      ? `rejected, ${REASONS.get(reason) ?? 'for a reason of a later version'}`
      : 'asked to retry';
  return `${outcome}: ${message}`;
}
