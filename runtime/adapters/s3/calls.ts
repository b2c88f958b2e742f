import { PortError } from '../../ports/port-error.ts';
import type { ServiceObserver } from '../../ports/service-observer.ts';
import { pause } from '../pause.ts';
import { type Failure, failureOf, statusOf } from './failure.ts';

/** How long calls may take, in ms. */
export interface CallLimits {
  /** Any call, with all its tries; a put has more time by its size. */
  readonly callMs: number;
  /** One of its tries. */
  readonly tryMs: number;
  /** Between two tries, about; the next pause is longer. */
  readonly pauseMs: number;
}

export interface CallsOptions {
  readonly endpoint: string;
  readonly hasOwnKeys: boolean;
  readonly limits: CallLimits;
  readonly observer: ServiceObserver;
  /** Told when a request got no answer: other connections may be as dead. */
  readonly onNoAnswer: () => void;
}

/** One call of the port. */
export interface Call {
  /** For errors, such as `object-store.put`. */
  readonly name: string;
  readonly bucket: string;
  /** Whether to send it again though it may have taken effect: doing it twice is as doing it once. */
  readonly isRepeatable: boolean;
  /** How long it may take, and each of its tries, in ms; the usual limits when absent. */
  readonly timeoutMs?: number;
}

/** One request of the SDK. It must end when the signal aborts. */
export type Request<T> = (signal: AbortSignal) => Promise<T>;

/** A request failed, and who made it knows what that means. */
export class FailedRequest extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'FailedRequest';
    this.failure = failure;
  }
}

const MAX_TRIES = 4;

/** Makes requests within their deadlines, again where that does no harm, and tells the observer how the service does. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #underWay = new Set<AbortController>();
  #isClosed = false;
  #isUp: boolean | undefined;
  #wasUp = false;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Throws `closed` when it is. */
  check(name: string): void {
    if (this.#isClosed) throw new PortError('closed', name, 'the store has been closed');
  }

  /** Ends what is under way: it rejects. Calls after it reject with `closed`. */
  close(): void {
    this.#isClosed = true;
    for (const controller of this.#underWay) controller.abort();
  }

  /**
   * Makes a request until it succeeds, fails for good, or its time is up. An answer for which `expected` gives a value
   * is a success too: S3 has statuses for what is no failure. Rejects with a PortError.
   */
  async run<T>(
    call: Call,
    request: Request<T>,
    expected: (error: unknown) => T | undefined = () => undefined,
  ): Promise<T> {
    this.check(call.name);
    const { limits } = this.#options;
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(), call.timeoutMs ?? limits.callMs);
    const isOver = (): boolean => ended.signal.aborted;
    this.#underWay.add(ended);
    try {
      for (let number = 1; ; number += 1) {
        const result = await this.#try(call, request, { ended: ended.signal, expected });
        if (result.ok) return result.value;
        if (!result.isPassing || number === MAX_TRIES || isOver()) throw result.error;
        await pause(limits.pauseMs * 2 ** (number - 1) * (0.5 + Math.random()), ended.signal);
        if (isOver()) throw result.error;
      }
    } finally {
      clearTimeout(timer);
      this.#underWay.delete(ended);
    }
  }

  async #try<T>(call: Call, request: Request<T>, { ended, expected }: TryOptions<T>): Promise<Try<T>> {
    const tryMs = call.timeoutMs ?? this.#options.limits.tryMs;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), tryMs);
    const signal = AbortSignal.any([ended, late.signal]);
    try {
      const value = await untilAborted(request(signal), signal);
      this.#answers();
      return { ok: true, value };
    } catch (error) {
      const value = expected(error);
      if (value !== undefined) {
        this.#answers();
        return { ok: true, value };
      }
      return signal.aborted ? this.#noAnswer(call, tryMs) : this.#failed(call, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #noAnswer(call: Call, tryMs: number): Extract<Try<never>, { ok: false }> {
    const { endpoint, onNoAnswer } = this.#options;
    if (this.#isClosed) {
      const message = 'the store was closed before it had answered';
      return { ok: false, error: new PortError('unavailable', call.name, message), isPassing: false };
    }
    const message = `no answer from ${endpoint} within ${tryMs} ms`;
    const error = new PortError('timeout', call.name, message);
    this.#isDown(error);
    onNoAnswer();
    return { ok: false, error, isPassing: call.isRepeatable };
  }

  #failed(call: Call, caught: unknown): Extract<Try<never>, { ok: false }> {
    const { endpoint, hasOwnKeys, onNoAnswer } = this.#options;
    const place = { endpoint, hasOwnKeys, bucket: call.bucket };
    const failure = caught instanceof FailedRequest ? caught.failure : failureOf(caught, place);
    // Without the SDK's error as its cause: that holds the request, with what it was signed by.
    const error = new PortError(failure.kind, call.name, failure.message);
    if (failure.kind === 'invalid') this.#answers();
    else this.#isDown(error);
    if (failure.kind === 'unavailable' && statusOf(caught) === undefined) onNoAnswer();
    const isPassing = failure.isPassing && (call.isRepeatable || failure.isWithoutEffect);
    return { ok: false, error, isPassing };
  }

  #answers(): void {
    if (this.#isUp === true) return;
    const { observer } = this.#options;
    const isBack = this.#isUp === false && this.#wasUp;
    this.#isUp = true;
    this.#wasUp = true;
    observer.up();
    if (isBack) observer.reconnected();
  }

  #isDown(error: PortError): void {
    this.#isUp = false;
    this.#options.observer.down(error);
  }
}

interface TryOptions<T> {
  readonly ended: AbortSignal;
  readonly expected: (error: unknown) => T | undefined;
}

type Try<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PortError; readonly isPassing: boolean };

/** The SDK looks at the signal while it waits for the service, but not while it looks for credentials. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('aborted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject);
  });
}
