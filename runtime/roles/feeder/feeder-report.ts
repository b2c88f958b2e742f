import type { Clock } from '../../clock.ts';
import type { FeederMetrics } from '../../feeder-metrics.ts';
import type { Logger } from '../../logging.ts';
import type { ListInForce } from './list-in-force.ts';
import type { LoadProgress } from './load-fraud-list.ts';
import type { RefusedLines } from './name-reader.ts';

export interface FeederReportOptions {
  /** Bucket and key. */
  readonly object: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: FeederMetrics;
}

/** What became of a look at the object. */
export type LoadOutcome = 'loaded' | 'missing' | 'refused' | 'failed';

/** Tells in logs and metrics what becomes of the fraud list; never a name that is on it. */
export class FeederReport {
  readonly #options: FeederReportOptions;
  readonly #logger: Logger;
  #failure: string | undefined;

  constructor(options: FeederReportOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ object: options.object });
  }

  /** Which list the cache has, each time that it is asked. */
  inForce(list: ListInForce | undefined, before: ListInForce | undefined): void {
    const { metrics } = this.#options;
    metrics.fraudListInForce.set(list === undefined ? 0 : 1);
    if (list !== undefined) metrics.fraudListNames.set(list.names);
    if (list?.load === before?.load) return;
    if (list === undefined) this.#logger.warn('no fraud list is in force: nobody can be judged');
    else this.#logger.info({ names: list.names, etag: list.etag }, 'a fraud list is in force');
  }

  progress({ names, bytes, size }: LoadProgress): void {
    this.#logger.info({ names, bytes, size }, 'loading the fraud list');
  }

  /** A look at the object that did not find the list in force. */
  counted(outcome: LoadOutcome): void {
    this.#options.metrics.fraudListLoads.inc({ outcome });
  }

  /** The list in force is what the object holds. */
  verified(): void {
    if (this.#failure !== undefined) this.#logger.info('the fraud list in force is the latest again');
    this.#failure = undefined;
  }

  /** Why the latest list is not in force; logged when it is another reason than before. */
  failed(reason: string): void {
    const { clock, metrics } = this.#options;
    metrics.fraudListLastFailure.set(clock.now() / 1000);
    if (reason !== this.#failure) this.#logger.error({ reason }, 'the latest fraud list is not in force');
    this.#failure = reason;
  }

  refusedLines({ count, first }: RefusedLines): void {
    this.#options.metrics.fraudListRefusedLines.set(count);
    if (count > 0) this.#logger.warn({ count, first }, 'lines of the fraud list are no names');
  }

  /** Brings the ages up to date. `verifiedAt`: in ms since the epoch. */
  ages(list: ListInForce | undefined, verifiedAt: number | undefined): void {
    const { clock, metrics } = this.#options;
    const age = (since: string, at: number | undefined): void => {
      if (list === undefined || at === undefined) metrics.fraudListAge.remove({ since });
      else metrics.fraudListAge.set({ since }, Math.max(0, clock.now() - at) / 1000);
    };
    age('loaded', list?.loadedAt);
    age('verified', verifiedAt);
  }
}
