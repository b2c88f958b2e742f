import { type EventKey, eventName, type WriteKey } from './stored-write.ts';

/** Body hashes by event name. */
type Parks = Map<string, Set<string>>;

/**
 * What this process has parked and has not seen in the schedule yet: until then the schedule cannot tell of it.
 */
export class OwnParks {
  /** Appended since the last run of the follower began. */
  #fresh: Parks = new Map();
  /** Appended before it began, so in the schedule when it succeeds. */
  #following: Parks = new Map();
  #freshCount = 0;
  #followingCount = 0;
  #appending = 0;

  /** How many there may be: also those whose append is under way, or has failed and may have worked all the same. */
  get size(): number {
    return this.#appending + this.#freshCount + this.#followingCount;
  }

  /** Hashes of the bodies that were certainly parked under an event. */
  bodies(event: EventKey): readonly string[] {
    const name = eventName(event);
    return [...(this.#following.get(name) ?? []), ...(this.#fresh.get(name) ?? [])];
  }

  /** Counts a write while it is appended and until it is followed. Rejects as the append does. */
  async during(key: WriteKey, append: Promise<void>): Promise<void> {
    this.#appending += 1;
    try {
      await append;
      add(this.#fresh, eventName(key), [key.bodyHash]);
    } finally {
      this.#appending -= 1;
      this.#freshCount += 1;
    }
  }

  /** A run of the follower begins: it will see what has been appended by now. */
  followBegins(): void {
    for (const [name, hashes] of this.#fresh) add(this.#following, name, hashes);
    this.#followingCount += this.#freshCount;
    this.#fresh = new Map();
    this.#freshCount = 0;
  }

  /** The run that began last has reached the end of the topic. */
  followed(): void {
    this.#following = new Map();
    this.#followingCount = 0;
  }
}

function add(parks: Parks, name: string, hashes: Iterable<string>): void {
  const known = parks.get(name) ?? new Set();
  for (const hash of hashes) known.add(hash);
  parks.set(name, known);
}
