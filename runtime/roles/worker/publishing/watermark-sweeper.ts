import type { Clock } from '../../../clock.ts';
import type { BackgroundTask } from '../../../domain-kit/domain.ts';
import type { DocumentStore } from '../../../ports/document-store.ts';
import { beginningAt, republishPage, type RepublishPorts } from './republish.ts';
import type { EventPosition } from './unpublished-ranges.ts';
import {
  type EventSource,
  newStamp,
  type Watermark,
  watermarkDocument,
  watermarkIn,
  WATERMARKS,
} from './watermark.ts';

export interface WatermarkSweeperOptions {
  readonly documents: Pick<DocumentStore, 'findByIdRange' | 'replaceIf' | 'remove'>;
  readonly republish: RepublishPorts;
  readonly clock: Clock;
  readonly onPublished: (events: number) => void;
  /** Told why the events of one start of a worker could not be published now; it is tried again. */
  readonly onFailed: (bootId: string, error: unknown) => void;
}

const EVERY_MS = 5_000;
/** A watermark that nobody has stored for this long, in ms, is one of a worker that is gone. */
const GONE_MS = 15_000;
/** After this long, in ms, whatever the worker that is gone had sent has landed. */
const GRACE_MS = 30_000;
const MAX_WATERMARKS = 1_000;
const MAX_PAGES_PER_RUN = 40;
/** Above every id of a watermark in order of bytes. */
const LAST_ID = '\x7f';

/** How a watermark has been seen by this worker. */
interface Sighting {
  readonly stamp: string;
  /** On the monotonic clock of this worker, in ms: times of two machines are never compared. */
  readonly since: number;
  /** This worker has begun to publish what lies behind the watermark, and goes on here. */
  readonly progress?: { readonly source: number; readonly after: EventPosition };
}

/**
 * Publishes what workers that are gone have left unpublished. Any number may do it at the same time, also for a
 * worker that is alive after all: the log gets duplicates then, and its readers go by id.
 */
export class WatermarkSweeper {
  readonly task: BackgroundTask = {
    name: 'publications.sweep',
    everyMs: EVERY_MS,
    run: (signal) => this.#run(signal),
  };
  readonly #options: WatermarkSweeperOptions;
  #sightings = new Map<string, Sighting>();

  constructor(options: WatermarkSweeperOptions) {
    this.#options = options;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const all = { from: '', to: LAST_ID, limit: MAX_WATERMARKS };
    const watermarks = (await this.#options.documents.findByIdRange(WATERMARKS, all)).map(watermarkIn);
    this.#see(watermarks);
    let pages = 0;
    for (const watermark of watermarks.filter((each) => this.#isGone(each))) {
      if (signal.aborted || pages >= MAX_PAGES_PER_RUN) return;
      try {
        pages += await this.#sweep(watermark, MAX_PAGES_PER_RUN - pages, signal);
      } catch (error) {
        this.#options.onFailed(watermark.bootId, error);
      }
    }
  }

  #see(watermarks: readonly Watermark[]): void {
    const since = this.#options.clock.monotonic();
    this.#sightings = new Map(
      watermarks.map(({ id, stamp }) => {
        const seen = this.#sightings.get(id);
        return [id, seen?.stamp === stamp ? seen : { stamp, since }];
      }),
    );
  }

  #isGone({ id, swept }: Watermark): boolean {
    const seen = this.#sightings.get(id);
    if (seen === undefined) return false;
    const unchangedMs = this.#options.clock.monotonic() - seen.since;
    return seen.progress !== undefined || unchangedMs >= (swept ? GRACE_MS : GONE_MS);
  }

  /** Publishes up to so many pages of what lies behind a watermark; resolves to how many it were. */
  async #sweep(found: Watermark, maxPages: number, signal: AbortSignal): Promise<number> {
    const { documents, clock } = this.#options;
    const { id, at, sources } = found;
    let progress = this.#sightings.get(id)?.progress ?? { source: 0, after: beginningAt(at) };
    // Also keeps the others from beginning with it.
    const claimed = await this.#change(found, {});
    let pages = 0;
    while (claimed !== undefined) {
      this.#sightings.set(id, { stamp: claimed.stamp, since: clock.monotonic(), progress });
      const source = sources[progress.source];
      if (source === undefined) {
        if (found.swept) await documents.remove(WATERMARKS, [id]);
        else await this.#change(claimed, { swept: true });
        break;
      }
      if (pages === maxPages || signal.aborted) break;
      const reached = await this.#publish(found, source, progress.after);
      pages += 1;
      progress =
        reached === undefined
          ? { source: progress.source + 1, after: beginningAt(at) }
          : { ...progress, after: reached };
    }
    return pages;
  }

  async #publish(
    { bootId }: Watermark,
    source: EventSource,
    after: EventPosition,
  ): Promise<EventPosition | undefined> {
    const { republish, onPublished } = this.#options;
    const { published, reached } = await republishPage(republish, { source, bootId, after });
    onPublished(published);
    return reached;
  }

  /** Stores a watermark anew if it is as it was found; undefined when it is not, so somebody keeps it. */
  async #change(found: Watermark, change: Partial<Watermark>): Promise<Watermark | undefined> {
    const changed = { ...found, ...change, stamp: newStamp() };
    const expected = { stamp: found.stamp };
    const done = await this.#options.documents.replaceIf(WATERMARKS, watermarkDocument(changed), expected);
    return done ? changed : undefined;
  }
}
