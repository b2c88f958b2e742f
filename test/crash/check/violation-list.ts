import type { ReadFailure } from '../reads.ts';
import type { Violation } from './violation.ts';

/** What was found in a run, each violation once. */
export class ViolationList {
  readonly #found = new Map<string, Violation>();

  get all(): readonly Violation[] {
    return [...this.#found.values()];
  }

  report(violations: readonly Violation[]): void {
    for (const violation of violations) {
      this.#found.set([violation.kind, violation.subject, violation.found].join('\n'), violation);
    }
  }

  reportRead({ message }: ReadFailure): void {
    this.report([{ kind: 'odd-answer', subject: 'a read', said: 'answered', found: message }]);
  }
}
