import path from 'node:path';
import type { Violation } from '../crash/check/violation.ts';
import { ViolationList } from '../crash/check/violation-list.ts';
import { fileJournal, Ledger } from '../crash/ledger.ts';
import { ReadFailure } from '../crash/reads.ts';
import { Recent } from '../crash/recent.ts';
import type { NotRecovered } from './recovery.ts';

/** What a run is judged by: what clients sent and were told, and what was found wrong. */
export class Evidence {
  readonly ledger: Ledger;
  readonly recent: Recent;
  readonly violations = new ViolationList();
  readonly #journal: ReturnType<typeof fileJournal>;
  #isClosed = false;

  /** Writes it down in the folder as well. */
  constructor(folder: string) {
    this.#journal = fileJournal(path.join(folder, 'journal.ndjson'));
    this.ledger = new Ledger(this.#journal.write);
    this.recent = new Recent(this.ledger);
  }

  /** True when something was found wrong: there is nothing to be gained by going on. */
  isBroken(): boolean {
    return this.violations.all.length > 0;
  }

  readonly report = (violation: Violation): void => {
    this.violations.report([violation]);
    this.note({ violation });
  };

  /** A platform that is not well in time, or a list that cannot be read. */
  reportFailure(subject: string, failure: NotRecovered | ReadFailure): void {
    const kind = failure instanceof ReadFailure ? 'odd-answer' : 'not-recovered';
    this.report({ kind, subject, said: 'it is well again by itself', found: failure.message });
  }

  /** Writes down what happens beside requests and answers. */
  note(what: object): void {
    if (!this.#isClosed) this.#journal.write(JSON.stringify({ ...what, at: Date.now() }));
  }

  close(): void {
    this.#isClosed = true;
    this.#journal.close();
  }
}
