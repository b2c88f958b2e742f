/** A worker that may be a member: its identity, and where it serves links. */
export interface MemberRecord {
  /** Stays the same while the worker's place exists (a pod's uid). */
  readonly uid: string;
  /** Host and port of its link server, as the source of truth names it. */
  readonly address: string;
}

/** What a worker presents when it asks to join. */
export interface Applicant {
  readonly uid: string;
  readonly bootId: string;
  /** Port of its link server. */
  readonly port: number;
  /** Proof of identity; empty where the source of truth needs none. */
  readonly token: string;
}

/** Whether an applicant may be a member. `retry`: cannot be told now, or not known yet. */
export type Admission =
  | { readonly outcome: 'admitted'; readonly member: MemberRecord }
  | { readonly outcome: 'retry'; readonly message: string }
  | { readonly outcome: 'unauthenticated'; readonly message: string };

/** Told of changes of who may be a member. */
export interface MemberListener {
  added(member: MemberRecord): void;
  removed(uid: string): void;
}

/** Ends a watch. */
export type StopWatching = () => void;

/**
 * The dispatcher's view of membership: the source of truth for who may be a member. It only adds and removes
 * candidates; whether a member is alive is the link's to tell.
 */
export interface MemberDirectory {
  admit(applicant: Applicant): Promise<Admission>;
  /** Calls `added` for every member known, then follows changes. Never throws; an outage freezes the view. */
  watch(listener: MemberListener): StopWatching;
  close(): Promise<void>;
}

/** The worker's view of membership: which dispatchers there are, and who it is itself. */
export interface DispatcherDirectory {
  /** Who this worker is, and the proof to present; asked anew for each try, because tokens expire. */
  identity(): Promise<{ readonly uid: string; readonly token: string }>;
  /** Calls back with all addresses (host and port) of dispatchers now, and again whenever they change. */
  watch(listener: (addresses: readonly string[]) => void): StopWatching;
  close(): Promise<void>;
}
