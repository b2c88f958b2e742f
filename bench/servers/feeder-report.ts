/** What a feeder's process has measured; memory in bytes, undefined where it cannot be known. */
export interface FeederReport {
  /** Of the first list. */
  readonly names: number;
  readonly seconds: number;
  /** Memory beyond that before the first list: the most while it was loaded, and some time after. */
  readonly peak: number | undefined;
  readonly after: number | undefined;
  /** The same while and after a second list took the place of the first. */
  readonly switchPeak: number | undefined;
  readonly switchAfter: number | undefined;
  /** The longest that the event loop did not turn, in ms, in both loads. */
  readonly pauseMs: number;
}
