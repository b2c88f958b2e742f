import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

const RANDOM_BYTES = 16;
const POOL_BYTES = 256 * RANDOM_BYTES;

const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** A new event id, a UUIDv7 (RFC 9562): ordered by time, so that new ones lie together in an index. */
export function newEventId(): string {
  return uuidv7({ rng: randomBytes });
}

/** Asking the system for randomness costs more than all else of an id, so it is asked for 256 at once. */
function randomBytes(): Uint8Array {
  if (used === POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += RANDOM_BYTES;
  return pool.subarray(used - RANDOM_BYTES, used);
}
