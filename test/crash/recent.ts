import type { EventHistory, Ledger, Said } from './ledger.ts';

/** Acknowledged events that are looked at after each kill. */
const LAST_ACKNOWLEDGED = 10;

/** What the answers of one life leave to be checked: everything that was touched, cut off, and just acknowledged. */
export class Recent {
  readonly #ledger: Ledger;
  #touched = new Set<EventHistory>();
  #cut = new Set<EventHistory>();
  #acknowledged: EventHistory[] = [];
  #due: { readonly count: number; readonly callback: () => void } | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    ledger.listen((history, said) => this.#note(history, said));
  }

  /** Calls back, in the very turn of the answer, when there were so many more answers; forgets an earlier wish. */
  after(answers: number, callback: () => void): void {
    this.#due = { count: this.#ledger.answered + answers, callback };
  }

  /** Forgets that wish. */
  cancel(): void {
    this.#due = undefined;
  }

  /** Hands over what gathered since it was asked last. */
  take(): Gathered {
    const gathered = { touched: [...this.#touched], cut: [...this.#cut], acknowledged: this.#acknowledged };
    this.#touched = new Set();
    this.#cut = new Set();
    this.#acknowledged = [];
    return gathered;
  }

  #note(history: EventHistory, said: Said): void {
    this.#touched.add(history);
    if (said.kind === 'cut') this.#cut.add(history);
    if (said.kind === 'stored')
      this.#acknowledged = [...this.#acknowledged, history].slice(-LAST_ACKNOWLEDGED);
    const due = this.#due;
    if (due === undefined || this.#ledger.answered < due.count) return;
    this.#due = undefined;
    due.callback();
  }
}

export interface Gathered {
  /** Every event that something was said about. */
  readonly touched: readonly EventHistory[];
  /** Those whose last answer did not come. */
  readonly cut: readonly EventHistory[];
  /** The last ones that were acknowledged. */
  readonly acknowledged: readonly EventHistory[];
}
