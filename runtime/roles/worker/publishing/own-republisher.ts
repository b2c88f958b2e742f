import type { Clock } from '../../../clock.ts';
import type { OwnPublications } from './own-publications.ts';
import { beginningAt, republishPage, type RepublishPorts } from './republish.ts';
import type { UnpublishedRange } from './unpublished-ranges.ts';

export interface OwnRepublisherOptions {
  readonly bootId: string;
  readonly account: Pick<OwnPublications, 'ranges'>;
  readonly republish: RepublishPorts;
  readonly clock: Clock;
  readonly onPublished: (events: number) => void;
  /** Told why it could not go on now. */
  readonly onFailed: (error: unknown) => void;
}

/** An insert that was given up has landed after this long, in ms, or never will. */
const GRACE_MS = 30_000;

/** Publishes what this worker has stored while the log was away, or by an insert whose answer it did not get. */
export class OwnRepublisher {
  readonly #options: OwnRepublisherOptions;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: OwnRepublisherOptions) {
    this.#options = options;
  }

  /** Begins with what is due, where it is not at it already. To be called again and again. */
  kick(): void {
    if (this.#closed || this.#running !== undefined) return;
    const due = this.#options.account.ranges.due(this.#options.clock.monotonic());
    if (due.length === 0) return;
    this.#running = this.#publish(due).finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when it has stopped, after the page that it is at. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #publish(due: readonly UnpublishedRange[]): Promise<void> {
    const { onFailed } = this.#options;
    try {
      for (const range of due) await this.#publishRange(range);
    } catch (error) {
      onFailed(error);
    }
  }

  async #publishRange(found: UnpublishedRange): Promise<void> {
    const { account, bootId, republish, clock, onPublished } = this.#options;
    const { source, from, to, unsure } = found;
    let range = found;
    let reached = range.reached ?? beginningAt(from);
    for (;;) {
      const next = { ...range, reached };
      account.ranges.replace(range, next);
      range = next;
      if (this.#closed) return;
      const page = await republishPage(republish, { source, bootId, after: reached, to });
      onPublished(page.published);
      if (page.reached === undefined) break;
      ({ reached } = page);
    }
    const again = { ...found, unsure: false, due: clock.monotonic() + GRACE_MS, reached: undefined };
    account.ranges.replace(range, unsure ? again : undefined);
  }
}
