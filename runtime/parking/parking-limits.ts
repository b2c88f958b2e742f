/** Bounds and times of parking. */
export interface ParkingLimits {
  /** Parked writes in all, dead letters included; further ones are refused, so that the cache stays bounded. */
  readonly maxParked: number;
  /** Parked writes that one process sends at once. */
  readonly concurrency: number;
  /** How long one send may take, in ms; longer than the time-out of any operation. */
  readonly sendMs: number;
  /** Pause between two looks for writes that are due, in ms. */
  readonly pollMs: number;
  /** Pause between two runs that follow the topic, in ms; what this process appends is followed at once. */
  readonly followEveryMs: number;
  /** Within how long `find`, `list` and `retry` have a schedule that is not behind, or reject; in ms. */
  readonly findMs: number;
  /** How long a new write may be held up to learn what is parked under its event, in ms. */
  readonly lookupMs: number;
}

export const DEFAULT_PARKING_LIMITS: ParkingLimits = {
  maxParked: 100_000,
  concurrency: 32,
  sendMs: 35_000,
  pollMs: 250,
  followEveryMs: 1_000,
  findMs: 2_000,
  lookupMs: 100,
};

/** How parked writes are tried again. */
export interface ParkingRetry {
  /** Failures of the write itself after which it is set aside as a dead letter. */
  readonly maxAttempts: number;
  /** Wait before the second attempt, in ms; it doubles each time up to `maxMs`, with jitter. */
  readonly initialMs: number;
  readonly maxMs: number;
}
