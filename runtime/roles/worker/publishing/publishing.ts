import type { CancelTimer, Clock } from '../../../clock.ts';
import type { BackgroundTask } from '../../../domain-kit/domain.ts';
import type { Publications } from '../../../domain-kit/publications.ts';
import { LogLimiter } from '../../../log-limiter.ts';
import type { Logger } from '../../../logging.ts';
import type { Metrics } from '../../../metrics.ts';
import type { CollectionSpec, DocumentStore } from '../../../ports/document-store.ts';
import type { EventLog } from '../../../ports/event-log.ts';
import { OwnPublications } from './own-publications.ts';
import { OwnRepublisher } from './own-republisher.ts';
import type { RepublishPorts } from './republish.ts';
import { watermarkCollections } from './watermark.ts';
import { WatermarkKeeper } from './watermark-keeper.ts';
import { WatermarkSweeper } from './watermark-sweeper.ts';

export interface PublishingOptions {
  readonly bootId: string;
  readonly documents: DocumentStore;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'republished' | 'unpublishedAge'>;
}

const EVERY_MS = 1_000;

/**
 * Sees to it that every stored event reaches the log where store and log are two: a worker publishes its own, and
 * a watermark that it stores tells the others what is left to them if it dies.
 */
export class Publishing {
  /** Sweeps up after workers that are gone; one worker at a time is enough. */
  readonly task: BackgroundTask;
  readonly #options: PublishingOptions;
  readonly #account: OwnPublications;
  readonly #keeper: WatermarkKeeper;
  readonly #republisher: OwnRepublisher;
  readonly #limiter: LogLimiter;
  #cancel: CancelTimer = () => {};
  #isStarted = false;
  #reportedAge = 0;

  constructor(options: PublishingOptions) {
    const { bootId, documents, log, clock, metrics } = options;
    this.#options = options;
    this.#limiter = new LogLimiter(clock, 10_000);
    const republish: RepublishPorts = {
      documents,
      log,
      onUnpublishable: (eventId, err) => this.#report('a stored event cannot be published', { eventId, err }),
    };
    this.#account = new OwnPublications(clock, () => this.#keeper.ensure());
    this.#keeper = new WatermarkKeeper({ bootId, account: this.#account, documents, clock });
    this.#republisher = new OwnRepublisher({
      bootId,
      account: this.#account,
      republish,
      clock,
      onPublished: (events) => metrics.republished.inc({ reason: 'own' }, events),
      onFailed: (err) => this.#report('what this worker has stored could not be published yet', { err }),
    });
    ({ task: this.task } = new WatermarkSweeper({
      documents,
      republish,
      clock,
      onPublished: (events) => metrics.republished.inc({ reason: 'gone' }, events),
      onFailed: (gone, err) =>
        this.#report('what a gone worker has stored could not be published yet', { gone, err }),
    }));
  }

  /** The account that event writers keep. */
  get publications(): Publications {
    return this.#account;
  }

  /** What must exist, once all event writers are there. */
  collections(): readonly CollectionSpec[] {
    return watermarkCollections(this.#account.sources);
  }

  /** Stores the first watermark, and keeps it from now on. Rejects with a PortError when it cannot be stored. */
  async start(): Promise<void> {
    await this.#keeper.ensure();
    this.#isStarted = true;
    this.#cancel = this.#options.clock.every(EVERY_MS, () => this.#tick());
  }

  /** Stops at once; what is not published is left to others. */
  close(): void {
    this.#cancel();
    void this.#keeper.close();
    void this.#republisher.close();
  }

  /** Stops, and takes leave of the others where nothing is left to them. Never rejects. */
  async finish(): Promise<void> {
    this.#cancel();
    await Promise.all([this.#keeper.close(), this.#republisher.close()]);
    if (!this.#isStarted || !this.#account.isComplete) return;
    await this.#keeper.remove().catch((err: unknown) => this.#report('a watermark was left behind', { err }));
  }

  #tick(): void {
    this.#republisher.kick();
    this.#showAge();
    void this.#keep();
  }

  async #keep(): Promise<void> {
    try {
      if (this.#keeper.isDue) await this.#keeper.store();
      await this.#keeper.removeOld();
    } catch (err) {
      this.#report('the watermark of what is published could not be stored', { err });
    }
  }

  /** Workers that share a process share the gauge: one that has nothing to tell leaves it to the others. */
  #showAge(): void {
    const { low } = this.#account.ranges;
    const age = low === undefined ? 0 : Math.max(0, this.#options.clock.now() - low) / 1000;
    if (age === 0 && this.#reportedAge === 0) return;
    this.#reportedAge = age;
    this.#options.metrics.unpublishedAge.set(age);
  }

  #report(message: string, fields: object): void {
    const heldBack = this.#limiter.admit(message);
    if (heldBack !== undefined) this.#options.logger.error({ ...fields, heldBack }, message);
  }
}
