import type { HttpAnswer, NoAnswer } from '../../crash/http-client.ts';

/** Times in ms. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What came of the arrivals of one phase. */
export interface Phase {
  readonly name: string;
  /** How often each answer was given: `201`, `503 NOT_ATTEMPTED`, `cut ECONNRESET` and the like. */
  readonly answers: Readonly<Record<string, number>>;
  /** 503s without Retry-After. */
  readonly withoutRetryAfter: number;
  /** Of those answered 2xx, from when they were due. */
  readonly accepted: Times | undefined;
  /** Of those answered 503. */
  readonly refused: Times | undefined;
  /** When the last request arrived that was not answered 2xx within a second, in ms from the phase's begin; 0: none. */
  readonly settledAfter: number;
  readonly requests: number;
}

const NORMAL_MS = 1_000;

/** Counts the answers of one phase. */
export class PhaseTally {
  readonly #name: string;
  readonly #begin: number;
  readonly #answers = new Map<string, number>();
  readonly #accepted: number[] = [];
  readonly #refused: number[] = [];
  #withoutRetryAfter = 0;
  #settledAfter = 0;

  /** `begin` and all times are on the monotonic clock, in ms. */
  constructor(name: string, begin: number) {
    this.#name = name;
    this.#begin = begin;
  }

  add(answer: HttpAnswer | NoAnswer, due: number, answeredAt: number): void {
    const ms = answeredAt - due;
    const label = labelOf(answer);
    this.#answers.set(label, (this.#answers.get(label) ?? 0) + 1);
    const isAccepted = label.startsWith('2');
    if (isAccepted) this.#accepted.push(ms);
    if (!isAccepted || ms > NORMAL_MS) this.#settledAfter = Math.max(this.#settledAfter, due - this.#begin);
    if (answer.kind !== 'answer' || answer.status !== 503) return;
    this.#refused.push(ms);
    if (answer.retryAfter === undefined) this.#withoutRetryAfter += 1;
  }

  result(): Phase {
    return {
      name: this.#name,
      answers: Object.fromEntries([...this.#answers].sort(([a], [b]) => (a < b ? -1 : 1))),
      withoutRetryAfter: this.#withoutRetryAfter,
      accepted: timesOf(this.#accepted),
      refused: timesOf(this.#refused),
      settledAfter: this.#settledAfter,
      requests: [...this.#answers.values()].reduce((sum, count) => sum + count, 0),
    };
  }
}

function labelOf(answer: HttpAnswer | NoAnswer): string {
  if (answer.kind !== 'answer') return `${answer.kind} ${answer.reason}`;
  const { status, body } = answer;
  const code: unknown = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
  return typeof code === 'string' ? `${status} ${code}` : String(status);
}

function timesOf(values: readonly number[]): Times | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
