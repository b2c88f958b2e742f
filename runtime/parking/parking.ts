import type { NewParkedWrite, ParkedWrite } from './parked-write.ts';

/** A place in a list of parked writes, to continue behind. */
export interface ParkedPosition {
  readonly dueAt: number;
  /** Names the write within the list. */
  readonly id: string;
}

export interface ListOptions {
  readonly state: ParkedWrite['state'];
  /** 1 to 100. */
  readonly limit: number;
  readonly after?: ParkedPosition;
}

export interface ParkedPage {
  readonly writes: readonly ParkedWrite[];
  /** Undefined on the last page. */
  readonly next: ParkedPosition | undefined;
}

/** Keeps writes whose outcome is a failure or unknown, and sends them again until the store has decided. */
export interface Parking {
  /** Begins to follow the topic and to resend. Never throws: the services may be away, and are waited for. */
  start(): void;
  stop(): Promise<void>;
  /**
   * Stores the write durably. Rejects with a PortError when that is not certain. A write that is parked already
   * stays as it is.
   */
  park(write: NewParkedWrite): Promise<void>;
  /**
   * Hashes of the bodies that are parked under this event. Undefined, at once, when nothing at all is parked:
   * the usual case costs nothing. Does its best in a short time, so some may be missing: it is for refusing
   * another body, not for acknowledging the same one.
   */
  parkedBodies(operation: string, eventId: string): Promise<readonly string[]> | undefined;
  /** Writes parked under this event. Rejects with `unavailable` while the schedule is behind the topic. */
  find(operation: string, eventId: string): Promise<readonly ParkedWrite[]>;
  /** One page of a state, the latest `dueAt` first. Rejects as `find` does. */
  list(options: ListOptions): Promise<ParkedPage>;
  /**
   * Makes a write due now, with no attempts against it. One that is no longer parked is left alone. Durable when
   * it resolves.
   */
  retry(write: ParkedWrite): Promise<void>;
  /** Forgets a write that the store has decided about. Durable when it resolves. */
  resolve(write: ParkedWrite): Promise<void>;
}
