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
/** A batch may make its operations wait for this share of their time by being large, beyond what a small one takes. */
const BATCH_SHARE = 0.25;
/** Operations of a batch when nothing is known yet, and at least. */
const FIRST_BATCH = 32;
const MIN_BATCH = 16;
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
  #samples: readonly Sample[] = [];

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
   * How many operations to put into one batch, by what each of them adds to the time it takes: where that is next to
   * nothing, as many as there are.
   */
  batchLimit({ arrivedAt, deadline }: Timed): number {
    const sizes = this.#samples.map(({ size }) => size);
    const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
    if (sizes.length === 0) return FIRST_BATCH;
    // Batches of one size do not tell what size does: a larger one will.
    if (most < 2 * least) return Math.max(MIN_BATCH, most * GROWTH);
    const [small, large] = [least, most].map((wanted) =>
      this.#samples.findLast(({ size }) => size === wanted),
    );
    const added = ((large?.ms ?? 0) - (small?.ms ?? 0)) / (most - least);
    return Math.max(MIN_BATCH, ((deadline - arrivedAt) * BATCH_SHARE) / Math.max(added, Number.EPSILON));
  }

  /**
   * Whether an operation that waits would not be answered in time, by how long batches take, while others are: that
   * is too much load. A queue in which nothing was decided since it came is no measure: there its service is away.
   */
  isHopeless({ arrivedAt, deadline }: Timed, now: number): boolean {
    return this.#lastEndedAt > arrivedAt && deadline - now < middleOf(this.#samples.map(({ ms }) => ms));
  }

  /** Takes note of a batch that brought a decision: one that failed says nothing of how fast the others are. */
  learn({ operations, startedAt, endedAt, lanes }: EndedBatch): void {
    const sample = {
      size: operations.length,
      ms: endedAt - startedAt,
      rate: (operations.length * lanes) / Math.max(1, endedAt - startedAt),
      timeMs: Math.min(...operations.map(timeOf)),
    };
    this.#lastEndedAt = endedAt;
    this.#samples = [...this.#samples, sample].slice(-REMEMBERED);
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
    return timeOf(operation) > PATIENT * Math.min(...this.#samples.map(({ timeMs }) => timeMs));
  }

  #shrink(slowest: Timed, now: number): void {
    if (this.#samples.length < REMEMBERED) return;
    const answerable = Math.max(...this.#samples.map(({ rate }) => rate)) * timeOf(slowest) * AIM;
    this.#limit = Math.max(MIN_LIMIT, Math.floor(Math.min(answerable, this.#limit * SHRINKAGE)));
    this.#setAt = now;
  }
}

/** What is remembered of a batch. */
interface Sample {
  readonly size: number;
  readonly ms: number;
  /** Operations per ms, of all lanes. */
  readonly rate: number;
  /** The shortest time, in ms, that one of its operations had. */
  readonly timeMs: number;
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
