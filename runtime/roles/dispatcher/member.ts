import type { ChannelCredentials } from '@grpc/grpc-js';
import { Backoff } from '../../backoff.ts';
import type { CancelTimer, Clock } from '../../clock.ts';
import { LinkClient, type OutgoingOperation } from '../../link/link-client.ts';
import type { LinkResult } from '../../link/pending.ts';
import type { LinkLimits } from '../../link/protocol.ts';
import type { Logger } from '../../logging.ts';
import type { MemberRecord } from '../../ports/membership.ts';

export type MemberState = 'connecting' | 'usable' | 'leaving';

export interface MemberOptions {
  readonly record: MemberRecord;
  /** The start of the worker that joined; undefined when it is only known to exist. */
  readonly bootId: string | undefined;
  readonly dispatcherId: string;
  readonly credentials: ChannelCredentials;
  readonly clock: Clock;
  readonly limits: LinkLimits;
  readonly logger: Logger;
  /** Its state changed. */
  readonly onChange: () => void;
  /** It has left, or could not be reached for too long: it is no member any more. */
  readonly onGone: () => void;
  readonly onLateReply: () => void;
}

/** How long a member that cannot be reached is dialled again, in ms; a worker that comes back joins by itself. */
const GIVE_UP_AFTER_MS = 60_000;

/** One worker as a dispatcher knows it: keeps a link to it, and dials again when the link is lost. */
export class Member {
  readonly #options: MemberOptions;
  readonly #backoff = new Backoff(50, 2_000);
  /** On the monotonic clock, in ms. */
  readonly admittedAt: number;
  #operations: ReadonlySet<string> = new Set();
  #link: LinkClient;
  #cancelDial: CancelTimer = () => {};
  #lostAt: number;
  #closed = false;
  #left = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.admittedAt = options.clock.monotonic();
    this.#lostAt = this.admittedAt;
    this.#link = this.#dial();
  }

  get record(): MemberRecord {
    return this.#options.record;
  }

  get bootId(): string | undefined {
    return this.#options.bootId;
  }

  get state(): MemberState {
    if (this.#link.state === 'open') return 'usable';
    return this.#link.state === 'leaving' ? 'leaving' : 'connecting';
  }

  /** Whether the worker has said itself that it leaves: this start of it does not come back. */
  get hasLeft(): boolean {
    return this.#left;
  }

  get inFlight(): number {
    return this.#link.inFlight;
  }

  get window(): number {
    return this.#link.window;
  }

  /** Whether the worker serves this operation. */
  serves(operation: string): boolean {
    return this.#operations.has(operation);
  }

  /** Whether it would take one more operation now. */
  get hasRoom(): boolean {
    return this.#link.hasRoom;
  }

  send(operation: OutgoingOperation): Promise<LinkResult> {
    return this.#link.send(operation);
  }

  /** Sends no more; the link ends when all is answered. */
  end(): void {
    this.#closed = true;
    this.#cancelDial();
    if (this.#link.state === 'closed') this.#options.onGone();
    else this.#link.end();
  }

  /** Cuts the link; what is in flight fails with an unknown outcome. */
  close(reason: string): void {
    this.#closed = true;
    this.#cancelDial();
    if (this.#link.state === 'closed') this.#options.onGone();
    else this.#link.close(reason);
  }

  #dial(): LinkClient {
    const { record, bootId, dispatcherId, credentials, clock, limits, logger, onChange, onLateReply } =
      this.#options;
    const link = new LinkClient({
      address: record.address,
      bootId,
      dispatcherId,
      credentials,
      clock,
      limits,
      listener: {
        onOpen: (welcome) => {
          this.#backoff.reset();
          this.#operations = new Set(welcome.operations);
          logger.info({ member: record.uid, address: record.address }, 'a worker is usable');
          onChange();
        },
        onLeaving: () => {
          this.#left = true;
          logger.info({ member: record.uid, inFlight: link.inFlight }, 'a worker is leaving');
          onChange();
        },
        onClosed: (reason) => this.#lost(reason),
        onLateReply,
      },
    });
    return link;
  }

  #lost(reason: string): void {
    const { clock, logger, record, onChange, onGone } = this.#options;
    const now = clock.monotonic();
    if (this.#operations.size > 0) {
      this.#lostAt = now;
      this.#operations = new Set();
      if (this.#left) logger.info({ member: record.uid }, 'a worker has left');
      else if (!this.#closed) logger.warn({ member: record.uid, reason }, 'the link to a worker is lost');
    }
    onChange();
    if (this.#left || this.#closed || now - this.#lostAt > GIVE_UP_AFTER_MS) {
      onGone();
      return;
    }
    this.#cancelDial = clock.after(this.#backoff.next(), () => {
      this.#link = this.#dial();
    });
  }
}
