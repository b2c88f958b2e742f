/** What can be wrong with an archive. */
export type FindingKind =
  /** Offsets that no object answers for. */
  | 'gap'
  /** Offsets that two objects answer for. */
  | 'overlap'
  /** Offsets that were declared lost. */
  | 'loss'
  /** The key is none of the archive's. */
  | 'stray'
  /** Key and metadata disagree on where the object begins. */
  | 'name'
  | 'metadata'
  | 'checksum'
  | 'count'
  /** Offsets out of order, or not those that the metadata says. */
  | 'offsets'
  /** A line that is no record. */
  | 'line'
  /** The content cannot be unpacked. */
  | 'unreadable';

/** One thing that is wrong, and with which object. */
export interface Finding {
  readonly kind: FindingKind;
  readonly key: string;
  readonly message: string;
}
