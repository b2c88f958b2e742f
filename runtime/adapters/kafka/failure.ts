import { PortError } from '../../ports/port-error.ts';
import type { PortErrorKind } from '../../ports/port-error.ts';
import { meaningOf } from './error-codes.ts';

/** What went wrong in a conversation with Kafka, before it is known which call of the port it fails. */
export class KafkaFailure extends Error {
  readonly kind: PortErrorKind;
  /** True: it may work by asking again a little later. */
  readonly retriable: boolean;
  /** Kafka's error code, where a broker answered with one. */
  readonly code: number | undefined;

  constructor(kind: PortErrorKind, message: string, more: { retriable?: boolean; code?: number } = {}) {
    super(message);
    this.name = 'KafkaFailure';
    this.kind = kind;
    this.retriable = more.retriable ?? false;
    this.code = more.code;
  }
}

/** A broker that cannot be reached, or went away. */
export function away(message: string): KafkaFailure {
  return new KafkaFailure('unavailable', message, { retriable: true });
}

/** No answer in time. */
export function late(message: string): KafkaFailure {
  return new KafkaFailure('timeout', message, { retriable: true });
}

/** Somebody has to mend a setting. */
export function refused(message: string): KafkaFailure {
  return new KafkaFailure('refused', message);
}

/** The call itself is at fault. */
export function invalid(message: string): KafkaFailure {
  return new KafkaFailure('invalid', message);
}

export function closed(): KafkaFailure {
  return new KafkaFailure('closed', 'the log has been closed');
}

/** The failure that an error code of a broker stands for; `about` says of what, for example `topic x`. */
export function failureOf(code: number, about: string): KafkaFailure {
  const { name, kind, retriable, advice } = meaningOf(code);
  const message = `${about}: ${name} (Kafka's error ${code})${advice === undefined ? '' : `; ${advice}`}`;
  return new KafkaFailure(kind, message, { retriable, code });
}

/** Throws what the code stands for, unless it is 0. */
export function check(code: number, about: string): void {
  if (code !== 0) throw failureOf(code, about);
}

/** Whether the error is a failure with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof KafkaFailure && error.code !== undefined && codes.includes(error.code);
}

/** Whether asking again may help. */
export function isRetriable(error: unknown): boolean {
  return error instanceof KafkaFailure && error.retriable;
}

/** What the port rejects with. An error that is no failure is a defect, and told as such. */
export function toPortError(call: string, error: unknown): PortError {
  if (error instanceof PortError) return error;
  if (error instanceof KafkaFailure) return new PortError(error.kind, call, error.message);
  const message = error instanceof Error ? error.message : String(error);
  return new PortError('unavailable', call, `unexpected: ${message}`, { cause: error });
}
