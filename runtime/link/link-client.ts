import type { ChannelCredentials, ClientDuplexStream } from '@grpc/grpc-js';
import type { CancelTimer, Clock } from '../clock.ts';
import {
  FailureCause,
  LinkServiceClient,
  type OpenRequest,
  type OpenResponse,
  type Operation,
  type ReplyBatch,
  type Welcome,
} from '../generated/miniplatform/link/v1/link.ts';
import { Heartbeat } from './heartbeat.ts';
import { Outbox } from './outbox.ts';
import { failure, type LinkResult, PendingOperations } from './pending.ts';
import { grpcOptions, isCompatible, type LinkLimits, PROTOCOL_VERSION } from './protocol.ts';

/** Told of the life of one link; `onClosed` comes exactly once, and last. */
export interface LinkListener {
  onOpen(welcome: Welcome): void;
  onLeaving(): void;
  onClosed(reason: string): void;
  /** A reply came for an operation that had been answered already (its deadline had passed). */
  onLateReply(): void;
}

export interface LinkClientOptions {
  /** Host and port of the worker's link server. */
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly dispatcherId: string;
  /** The boot id that joined; undefined when it is not known. */
  readonly bootId: string | undefined;
  readonly clock: Clock;
  readonly limits: LinkLimits;
  readonly listener: LinkListener;
}

/** What a dispatcher sends over a link. */
export interface OutgoingOperation {
  readonly name: string;
  readonly request: Uint8Array;
  readonly eventId: string;
  readonly bodyHash: Uint8Array;
  /** How long the answer may take, in ms. */
  readonly timeoutMs: number;
  /** Writes only: gives the event up instead of storing it. */
  readonly discard?: boolean;
}

type LinkState = 'connecting' | 'open' | 'leaving' | 'closed';

/** Room for the envelope of an operation beside its request. */
const ENVELOPE_BYTES = 64;
const MAX_SEQ = 0xffff_ffff;

/** The dispatcher's end of one link, from the dial to the end of its one stream; it does not reconnect. */
export class LinkClient {
  readonly #options: LinkClientOptions;
  readonly #client: LinkServiceClient;
  readonly #stream: ClientDuplexStream<OpenRequest, OpenResponse>;
  readonly #pending = new PendingOperations();
  readonly #outbox: Outbox<Operation>;
  readonly #heartbeat: Heartbeat;
  readonly #timers: CancelTimer[] = [];
  #state: LinkState = 'connecting';
  #ending = false;
  #window = 0;
  #seq = 0;

  constructor(options: LinkClientOptions) {
    const { limits, clock } = options;
    this.#options = options;
    this.#client = new LinkServiceClient(options.address, options.credentials, grpcOptions(limits));
    this.#stream = this.#client.open();
    this.#outbox = new Outbox({
      write: (operations) => this.#write({ $case: 'operations', value: { operations } }),
      maxItems: limits.batchItems,
      maxBytes: limits.batchBytes,
      flush: 'turn',
    });
    this.#heartbeat = new Heartbeat({
      clock,
      limits,
      send: () => void this.#write({ $case: 'heartbeat', value: {} }),
      onDead: () => this.close(`nothing heard for ${limits.deadAfterMs} ms`),
    });
    this.#timers.push(
      clock.every(limits.sweepMs, () => this.#sweep()),
      clock.after(limits.handshakeMs, () => {
        if (this.#state === 'connecting') this.close(`no handshake within ${limits.handshakeMs} ms`);
      }),
    );
    this.#listen();
    this.#write({
      $case: 'hello',
      value: {
        protocolVersion: PROTOCOL_VERSION,
        dispatcherId: options.dispatcherId,
        bootId: options.bootId ?? '',
      },
    });
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Operations that wait for an answer. */
  get inFlight(): number {
    return this.#pending.count;
  }

  /** How many operations may be in flight: what the worker announced. */
  get window(): number {
    return this.#window;
  }

  /** Whether one more operation would be taken now. */
  get hasRoom(): boolean {
    return (
      this.#state === 'open' &&
      this.#pending.count < this.#window &&
      this.#pending.bytes < this.#options.limits.windowBytes
    );
  }

  /**
   * Sends an operation. Resolves exactly once and never rejects: to the worker's answer, or to a failure with
   * its cause (deadline, link lost, no room) by the time-out at the latest.
   */
  send(operation: OutgoingOperation): Promise<LinkResult> {
    const bytes = operation.request.length + operation.eventId.length + ENVELOPE_BYTES;
    if (!this.hasRoom) return Promise.resolve(failure(FailureCause.FULL, 'the link has no room', false));
    if (bytes > this.#options.limits.itemBytes) {
      return Promise.resolve(failure(FailureCause.INVALID_REQUEST, 'the request is too large', false));
    }
    this.#seq = this.#seq === MAX_SEQ ? 1 : this.#seq + 1;
    const seq = this.#seq;
    const deadline = this.#options.clock.monotonic() + operation.timeoutMs;
    return new Promise((settle) => {
      this.#pending.add(seq, { settle, deadline, bytes });
      const { name, request, eventId, bodyHash, discard = false } = operation;
      const timeoutMs = Math.max(1, Math.floor(operation.timeoutMs));
      this.#outbox.push({ seq, name, request, eventId, bodyHash, timeoutMs, discard }, bytes);
    });
  }

  /**
   * Takes no more operations, waits for the answers of those in flight (their deadlines bound it), then closes.
   * `onClosed` tells when.
   */
  end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'leaving';
    this.#ending = true;
    this.#endWhenIdle();
  }

  /** Closes at once; what is in flight fails with an unknown outcome. */
  close(reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    for (const cancel of this.#timers) cancel();
    this.#heartbeat.stop();
    this.#outbox.close();
    this.#stream.cancel();
    this.#client.close();
    this.#pending.settleAll(failure(FailureCause.LINK_LOST, `the link broke: ${reason}`, true));
    this.#options.listener.onClosed(reason);
  }

  #listen(): void {
    this.#stream.on('data', (response: OpenResponse) => this.#receive(response));
    this.#stream.on('drain', () => this.#outbox.drained());
    this.#stream.on('error', (error: Error) => this.close(error.message));
    this.#stream.on('end', () => this.close(this.#ending ? 'ended' : 'the worker closed the stream'));
  }

  #receive(response: OpenResponse): void {
    this.#heartbeat.heard();
    switch (response.frame?.$case) {
      case 'welcome':
        this.#welcome(response.frame.value);
        break;
      case 'replies':
        this.#settleReplies(response.frame.value);
        break;
      case 'leaving':
        this.#leave();
        break;
      case 'heartbeat':
      case undefined:
        // A frame of a later version is no more than a sign of life.
        break;
    }
  }

  #welcome(welcome: Welcome): void {
    if (this.#state !== 'connecting') return;
    const { bootId, limits, listener } = this.#options;
    if (!isCompatible(welcome.protocolVersion)) {
      this.close(`the worker speaks link protocol ${welcome.protocolVersion}, not ${PROTOCOL_VERSION}`);
    } else if (bootId !== undefined && welcome.bootId !== bootId) {
      this.close('another start of the worker answered');
    } else {
      this.#state = 'open';
      this.#window = Math.min(welcome.window, limits.window);
      listener.onOpen(welcome);
    }
  }

  #settleReplies(batch: ReplyBatch): void {
    for (const reply of batch.replies) {
      const result = reply.result ?? failure(FailureCause.INTERNAL, 'the worker sent an empty reply', true);
      if (!this.#pending.settle(reply.seq, result)) this.#options.listener.onLateReply();
    }
    if (this.#ending) this.#endWhenIdle();
  }

  #leave(): void {
    if (this.#ending) return;
    this.end();
    this.#options.listener.onLeaving();
  }

  #sweep(): void {
    const expired = this.#pending.expire(this.#options.clock.monotonic());
    if (expired > 0 && this.#ending) this.#endWhenIdle();
  }

  /** The half-close tells a draining worker that nothing more will come. */
  #endWhenIdle(): void {
    if (this.#pending.count > 0 || this.#stream.writableEnded) return;
    this.#stream.end();
    const { clock, limits } = this.#options;
    this.#timers.push(clock.after(limits.handshakeMs, () => this.close('ended')));
  }

  #write(frame: NonNullable<OpenRequest['frame']>): boolean {
    return this.#state !== 'closed' && !this.#stream.writableEnded ? this.#stream.write({ frame }) : true;
  }
}
