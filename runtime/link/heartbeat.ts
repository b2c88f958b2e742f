import type { CancelTimer, Clock } from '../clock.ts';
import type { LinkLimits } from './protocol.ts';

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly limits: Pick<LinkLimits, 'heartbeatMs' | 'deadAfterMs'>;
  readonly send: () => void;
  /** Called once, when the other side has been silent for too long. */
  readonly onDead: () => void;
}

/** Sends a heartbeat on schedule and notices when the other side has gone silent. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #cancel: CancelTimer;
  #lastHeard: number;
  #lastBeat: number;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#lastHeard = this.#lastBeat = options.clock.monotonic();
    this.#cancel = options.clock.every(options.limits.heartbeatMs, () => this.#beat());
  }

  /** Something came from the other side. */
  heard(): void {
    this.#lastHeard = this.#options.clock.monotonic();
  }

  stop(): void {
    this.#cancel();
  }

  #beat(): void {
    const { clock, limits } = this.#options;
    const now = clock.monotonic();
    // After a stall of this process its timers run before its sockets are read: the silence may be our own, so
    // it does not count against the other side.
    if (now - this.#lastBeat > 2 * limits.heartbeatMs) this.#lastHeard = now;
    this.#lastBeat = now;
    if (now - this.#lastHeard >= limits.deadAfterMs) {
      this.stop();
      this.#options.onDead();
      return;
    }
    this.#options.send();
  }
}
