import { FailureCause, type Reply } from '../generated/miniplatform/link/v1/link.ts';

/** What a link answers to one operation. */
export type LinkResult = NonNullable<Reply['result']>;

/** Makes the answer for an operation without a final one. */
export function failure(cause: FailureCause, message: string, attempted: boolean): LinkResult {
  return { $case: 'failure', value: { cause, message, attempted } };
}

interface PendingOperation {
  readonly settle: (result: LinkResult) => void;
  /** On the monotonic clock, in ms. */
  readonly deadline: number;
  readonly bytes: number;
}

/**
 * Operations that wait for an answer, by sequence number. Each is settled exactly once: by its reply, by its
 * deadline, or by the end of the link, whichever comes first; what comes later finds nothing to settle.
 */
export class PendingOperations {
  readonly #operations = new Map<number, PendingOperation>();
  #bytes = 0;

  get count(): number {
    return this.#operations.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(seq: number, operation: PendingOperation): void {
    this.#operations.set(seq, operation);
    this.#bytes += operation.bytes;
  }

  /** Settles one; false when it waits no longer. */
  settle(seq: number, result: LinkResult): boolean {
    const operation = this.#operations.get(seq);
    if (operation === undefined) return false;
    this.#operations.delete(seq);
    this.#bytes -= operation.bytes;
    operation.settle(result);
    return true;
  }

  /** Settles as expired all whose deadline has come; returns how many. */
  expire(now: number): number {
    let expired = 0;
    for (const [seq, operation] of this.#operations) {
      if (operation.deadline > now) continue;
      this.settle(seq, failure(FailureCause.EXPIRED, 'no answer before the deadline', true));
      expired += 1;
    }
    return expired;
  }

  /** Settles all with one result. */
  settleAll(result: LinkResult): void {
    for (const seq of [...this.#operations.keys()]) this.settle(seq, result);
  }
}
