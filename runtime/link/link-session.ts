import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { CancelTimer, Clock } from '../clock.ts';
import {
  FailureCause,
  type Hello,
  type OpenRequest,
  type OpenResponse,
  type Operation,
  type Reply,
} from '../generated/miniplatform/link/v1/link.ts';
import { Heartbeat } from './heartbeat.ts';
import { Outbox } from './outbox.ts';
import { failure, type LinkResult, PendingOperations } from './pending.ts';
import { isCompatible, type LinkLimits, PROTOCOL_VERSION } from './protocol.ts';

/** An operation as it arrived, with the one way to answer it. */
export interface IncomingOperation {
  readonly name: string;
  readonly request: Uint8Array;
  readonly eventId: string;
  readonly bodyHash: Uint8Array;
  /** Writes only: the event is to be given up, not stored; its request is never to be carried out. */
  readonly discard: boolean;
  /** When the answer must be under way, on the monotonic clock, in ms. */
  readonly deadline: number;
  /** Answers; only the first call counts, and none after the deadline. */
  readonly settle: (result: LinkResult) => void;
}

/** What a worker's side of the link needs to know and to do. */
export interface LinkHost {
  readonly uid: string;
  readonly bootId: string;
  /** Names of the operations served. */
  readonly operations: readonly string[];
  /** Why no link is taken now; undefined when one is. */
  refusal(): string | undefined;
  submit(operation: IncomingOperation): void;
}

export interface LinkSessionOptions {
  readonly stream: ServerDuplexStream<OpenRequest, OpenResponse>;
  readonly host: LinkHost;
  readonly clock: Clock;
  readonly limits: LinkLimits;
  /** Called when the handshake is done. */
  readonly onOpened: (dispatcherId: string) => void;
  /** Called once, when the session is over. */
  readonly onClosed: (reason: string) => void;
}

/** Room for the envelope of a reply beside its response. */
const ENVELOPE_BYTES = 64;

/** The worker's end of one link. */
export class LinkSession {
  readonly #options: LinkSessionOptions;
  readonly #pending = new PendingOperations();
  readonly #outbox: Outbox<Reply>;
  readonly #timers: CancelTimer[] = [];
  #heartbeat: Heartbeat | undefined;
  #closed = false;
  #ended = false;

  constructor(options: LinkSessionOptions) {
    const { stream, clock, limits } = options;
    this.#options = options;
    this.#outbox = new Outbox({
      write: (replies) => this.#write({ $case: 'replies', value: { replies } }),
      maxItems: limits.batchItems,
      maxBytes: limits.batchBytes,
      flush: 'callback',
    });
    this.#timers.push(
      clock.every(limits.sweepMs, () => this.#pending.expire(clock.monotonic())),
      clock.after(limits.handshakeMs, () => {
        if (this.#heartbeat === undefined) this.close('no handshake in time');
      }),
    );
    stream.on('data', (request: OpenRequest) => this.#receive(request));
    stream.on('drain', () => this.#outbox.drained());
    stream.on('error', (error: Error) => this.close(error.message));
    stream.on('cancelled', () => this.close('the dispatcher is gone'));
    stream.on('end', () => this.#finish());
  }

  get inFlight(): number {
    return this.#pending.count;
  }

  /** Tells the dispatcher to send no more. What arrives all the same is still answered. */
  leave(): void {
    this.#write({ $case: 'leaving', value: {} });
  }

  /** Ends the session at once, as a failed call where `failed` is given; answers not under way are lost. */
  close(reason: string, failed?: { readonly code: status; readonly details: string }): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#heartbeat?.stop();
    this.#outbox.close();
    if (failed === undefined) this.#options.stream.end();
    else this.#options.stream.emit('error', failed);
    // Their work goes on; there is no one to tell any more, so the result is of no consequence.
    this.#pending.settleAll(failure(FailureCause.LINK_LOST, reason, true));
    this.#options.onClosed(reason);
  }

  #receive(request: OpenRequest): void {
    this.#heartbeat?.heard();
    switch (request.frame?.$case) {
      case 'hello':
        this.#greet(request.frame.value);
        break;
      case 'operations':
        for (const operation of request.frame.value.operations) this.#accept(operation);
        break;
      case 'heartbeat':
      case undefined:
        // A frame of a later version is no more than a sign of life.
        break;
    }
  }

  #greet(hello: Hello): void {
    const { host, limits, clock } = this.#options;
    const refusal = this.#refusal(hello);
    if (refusal !== undefined) {
      this.close(refusal, { code: status.FAILED_PRECONDITION, details: refusal });
      return;
    }
    this.#write({
      $case: 'welcome',
      value: {
        protocolVersion: PROTOCOL_VERSION,
        bootId: host.bootId,
        uid: host.uid,
        window: limits.window,
        operations: host.operations,
      },
    });
    this.#heartbeat = new Heartbeat({
      clock,
      limits,
      send: () => void this.#write({ $case: 'heartbeat', value: {} }),
      onDead: () => this.close(`nothing heard for ${limits.deadAfterMs} ms`),
    });
    this.#options.onOpened(hello.dispatcherId);
  }

  #refusal(hello: Hello): string | undefined {
    const { host } = this.#options;
    if (this.#heartbeat !== undefined) return 'a second hello';
    if (!isCompatible(hello.protocolVersion))
      return `link protocol ${hello.protocolVersion} is not spoken here`;
    if (hello.bootId !== '' && hello.bootId !== host.bootId)
      return 'the link is meant for another start of this worker';
    return host.refusal();
  }

  #accept(operation: Operation): void {
    const { limits, clock, host } = this.#options;
    const { seq, timeoutMs } = operation;
    if (this.#heartbeat === undefined) {
      this.close('operations before the handshake');
      return;
    }
    if (this.#pending.count >= limits.window) {
      this.#reply(seq, failure(FailureCause.FULL, 'more operations than the window allows', false));
      return;
    }
    const margin = Math.min(limits.deadlineMarginMs, timeoutMs / 4) + limits.sweepMs;
    const deadline = clock.monotonic() + Math.max(0, timeoutMs - margin);
    this.#pending.add(seq, {
      settle: (result) => this.#reply(seq, result),
      deadline,
      bytes: operation.request.length,
    });
    host.submit({
      name: operation.name,
      request: operation.request,
      eventId: operation.eventId,
      bodyHash: operation.bodyHash,
      discard: operation.discard,
      deadline,
      settle: (result) => void this.#pending.settle(seq, result),
    });
  }

  #reply(seq: number, result: LinkResult): void {
    const bytes = ENVELOPE_BYTES + (result.$case === 'decision' ? result.value.response.length : 0);
    if (bytes > this.#options.limits.itemBytes) {
      const tooLarge = failure(
        FailureCause.REPLY_TOO_LARGE,
        'the answer is larger than a message may be',
        true,
      );
      this.#outbox.push({ seq, result: tooLarge }, ENVELOPE_BYTES);
    } else {
      this.#outbox.push({ seq, result }, bytes);
    }
    if (this.#ended) this.#finish();
  }

  /** The dispatcher wants no more answers than those in flight; when they are out, the stream ends. */
  #finish(): void {
    this.#ended = true;
    if (this.#pending.count > 0) return;
    this.#outbox.flush();
    this.close('ended by the dispatcher');
  }

  #write(frame: NonNullable<OpenResponse['frame']>): boolean {
    return this.#closed ? true : this.#options.stream.write({ frame });
  }
}
