import type { Clock } from '../../../clock.ts';
import type { DocumentStore } from '../../../ports/document-store.ts';
import { PortError } from '../../../ports/port-error.ts';
import type { OwnPublications } from './own-publications.ts';
import { newStamp, watermarkDocument, WATERMARKS } from './watermark.ts';

export interface WatermarkKeeperOptions {
  readonly bootId: string;
  readonly account: Pick<OwnPublications, 'low' | 'sources' | 'changes'>;
  readonly documents: Pick<DocumentStore, 'replace' | 'remove'>;
  readonly clock: Clock;
}

/** A watermark that does not change is stored again after this long, in ms, to show that it is kept. */
const TOUCH_MS = 4_000;
/**
 * A watermark that could not be stored for this long, in ms, counts no more: others may be about to remove it.
 * They wait three times as long with that, so what was inserted while it counted has landed by then.
 */
export const VALID_MS = 15_000;
const MAX_OLD = 100;
const CALL = 'publication-watermark.store';

/** Stores a worker's watermark, and knows whether the one that is stored still counts. */
export class WatermarkKeeper {
  readonly #options: WatermarkKeeperOptions;
  #count = 0;
  #id = '';
  /** When the watermark was first tried, or last stored for certain; on the monotonic clock. */
  #freshAt = -Infinity;
  #isStored = false;
  #storedChanges = -1;
  #old: readonly string[] = [];
  #storing: Promise<void> | undefined;
  #closed = false;

  constructor(options: WatermarkKeeperOptions) {
    this.#options = options;
  }

  /** Resolves when a watermark is stored that counts. Rejects with a PortError when it cannot be stored. */
  async ensure(): Promise<void> {
    if (!this.#counts) await this.store();
    if (!this.#counts) throw new PortError('unavailable', CALL, 'it was not stored in time');
  }

  /** Whether it is time to store it: when there is news, or to show that somebody keeps it. */
  get isDue(): boolean {
    const { account, clock } = this.#options;
    return account.changes !== this.#storedChanges || clock.monotonic() - this.#freshAt >= TOUCH_MS;
  }

  /** Stores the watermark as it is now; who calls while it is being stored gets that. */
  store(): Promise<void> {
    if (this.#closed) return Promise.reject(new PortError('closed', CALL, 'the worker stops'));
    this.#storing ??= this.#store().finally(() => {
      this.#storing = undefined;
    });
    return this.#storing;
  }

  /** Removes watermarks of this worker that another one has taken the place of. */
  async removeOld(): Promise<void> {
    const old = this.#old;
    if (old.length === 0 || !this.#isStored) return;
    await this.#options.documents.remove(WATERMARKS, old);
    this.#old = this.#old.filter((id) => !old.includes(id));
  }

  /** Stores nothing from now on; resolves when nothing is being stored. */
  async close(): Promise<void> {
    this.#closed = true;
    // Its caller is told of a failure.
    await this.#storing?.catch(() => {});
  }

  /** Removes every watermark of this worker: all that it has stored is published. */
  async remove(): Promise<void> {
    await this.#options.documents.remove(WATERMARKS, [this.#id, ...this.#old]);
  }

  get #counts(): boolean {
    const age = this.#options.clock.monotonic() - this.#freshAt;
    return this.#isStored && !this.#closed && age < VALID_MS;
  }

  async #store(): Promise<void> {
    const { bootId, account, documents, clock } = this.#options;
    const begun = clock.monotonic();
    if (begun - this.#freshAt >= VALID_MS) this.#renew(begun);
    const { changes, sources } = account;
    const at = account.low();
    const watermark = { id: this.#id, bootId, at, sources, stamp: newStamp(), swept: false };
    await documents.replace(WATERMARKS, watermarkDocument(watermark));
    this.#freshAt = begun;
    this.#isStored = true;
    this.#storedChanges = changes;
  }

  /** Takes a new id: a removal of the one before, however late it comes, cannot hit what is stored from now on. */
  #renew(now: number): void {
    if (this.#id !== '') this.#old = [...this.#old, this.#id].slice(-MAX_OLD);
    this.#count += 1;
    this.#id = `${this.#options.bootId}:${this.#count}`;
    this.#freshAt = now;
    this.#isStored = false;
  }
}
