/**
 * Keeps account of events that may be stored and not published, so that they reach the log in the end, whatever
 * dies. It is there where the event store cannot do both in one step (`EventStore.atomic`).
 */
export interface Publications {
  /** Declares a collection whose events are this operation's; an operation has a collection of its own. */
  of(operation: string, collection: string): EventPublications;
}

/** The account of one collection. */
export interface EventPublications {
  /**
   * Announces a batch, before anything of it is stored. Rejects with a PortError while it could not be found
   * again: nothing may be stored then.
   */
  begin(): Promise<OpenBatch>;
}

/**
 * What is known of a batch in the end.
 * - `published`: all that was stored of it (or nothing was).
 * - `unpublished`: all that will ever be stored of it is stored; the log may lack it.
 * - `unknown`: any of it may be stored, or may yet be, by a call that was given up.
 */
export type BatchEnd = 'published' | 'unpublished' | 'unknown';

export interface OpenBatch {
  /** The time of each event of the batch, in ms since the epoch; never less than that of a batch before it. */
  readonly at: number;
  /** To be called once, whatever becomes of the batch: until then it counts as unpublished. */
  end(end: BatchEnd): void;
}
