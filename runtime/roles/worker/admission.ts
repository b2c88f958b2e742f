/** An operation in a queue: its times are on the monotonic clock, in ms. */
export interface Timed {
  readonly arrivedAt: number;
  /** When its answer must be under way. */
  readonly deadline: number;
}

/** A batch that has ended. */
export interface EndedBatch {
  readonly operations: readonly Timed[];
  readonly startedAt: number;
  readonly endedAt: number;
  /** Batches that were worked on at the same time, this one included. */
  readonly lanes: number;
}

/** Share of its time that an operation may take: beyond it fewer are taken in, well below it more. */
const MAX_SHARE = 0.5;
const LOW_SHARE = 0.25;
/** Share of the time that is aimed at when the limit is set anew. */
const AIM = 0.4;
const GROWTH = 1.25;
const SHRINKAGE = 0.9;
/** A worker always takes in this many: some must show how fast it is. */
const MIN_LIMIT = 4;
/** Who has this many times the time of others is patient, and gets this share of the room. */
const PATIENT = 3;
const PATIENT_SHARE = 0.5;
/** Batches that are remembered: a stall of a moment holds up one in each lane, and says nothing of the next. */
const REMEMBERED = 5;

/**
 * Learns from the batches that end how many operations a worker can answer in time, and so how many it may take in.
 * What is beyond that would wait for nothing: it is refused at once, and its client asks again. By Little's law that
 * is the rate at which operations get done times how long one may take.
 */
export class Admission {
  readonly #max: number;
  #limit: number;
  #setAt = -Infinity;
  #lastEndedAt = -Infinity;
  /** Of the last batches: operations per ms, and ms. */
  #rates: readonly number[] = [];
  #durations: readonly number[] = [];
  /** The shortest time, in ms, that an operation of each had. */
  #times: readonly number[] = [];

  /** `max`: operations in the queue, however fast it is. */
  constructor(max: number) {
    this.#max = max;
    this.#limit = max;
  }

  /** How many operations may be in the queue, those in work included. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * Whether one more is taken in beside so many. The patient ones, which are sent again by the platform itself and
   * have much time, leave room for clients that wait.
   */
  admits(operation: Timed, inQueue: number): boolean {
    return inQueue < this.#limit * (this.#isPatient(operation) ? PATIENT_SHARE : 1);
  }

  /**
   * Whether an operation that waits would not be answered in time, by how long batches take, while others are: that
   * is too much load. A queue in which nothing was decided since it came is no measure: there its service is away.
   */
  isHopeless({ arrivedAt, deadline }: Timed, now: number): boolean {
    return this.#lastEndedAt > arrivedAt && deadline - now < middleOf(this.#durations);
  }

  /** Takes note of a batch that brought a decision: one that failed says nothing of how fast the others are. */
  learn({ operations, startedAt, endedAt, lanes }: EndedBatch): void {
    const duration = endedAt - startedAt;
    this.#lastEndedAt = endedAt;
    this.#rates = [...this.#rates, (operations.length * lanes) / Math.max(1, duration)].slice(-REMEMBERED);
    this.#durations = [...this.#durations, duration].slice(-REMEMBERED);
    this.#times = [...this.#times, Math.min(...operations.map(timeOf))].slice(-REMEMBERED);
    const slowest = slowestOf(
      operations.filter((operation) => !this.#isPatient(operation)),
      endedAt,
    );
    if (slowest === undefined) return;
    const share = shareOf(slowest, endedAt);
    if (share < LOW_SHARE) this.#limit = Math.min(this.#max, Math.ceil(this.#limit * GROWTH));
    // One that came before the limit was set says nothing of that limit.
    else if (share > MAX_SHARE && slowest.arrivedAt >= this.#setAt) this.#shrink(slowest, endedAt);
  }

  #isPatient(operation: Timed): boolean {
    return timeOf(operation) > PATIENT * Math.min(...this.#times);
  }

  #shrink({ arrivedAt, deadline }: Timed, now: number): void {
    if (this.#rates.length < REMEMBERED) return;
    const answerable = Math.max(...this.#rates) * (deadline - arrivedAt) * AIM;
    this.#limit = Math.max(MIN_LIMIT, Math.floor(Math.min(answerable, this.#limit * SHRINKAGE)));
    this.#setAt = now;
  }
}

/** The one that has used up the greatest share of its time. */
function slowestOf(operations: readonly Timed[], now: number): Timed | undefined {
  return operations.reduce<Timed | undefined>(
    (slowest, each) => (slowest === undefined || shareOf(each, now) > shareOf(slowest, now) ? each : slowest),
    undefined,
  );
}

function shareOf(operation: Timed, now: number): number {
  return (now - operation.arrivedAt) / Math.max(1, timeOf(operation));
}

/** How long it may take, in ms. */
function timeOf({ arrivedAt, deadline }: Timed): number {
  return deadline - arrivedAt;
}

function middleOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
