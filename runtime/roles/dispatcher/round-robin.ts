/** Takes turns among candidates that come and go, passing over those that cannot be used now. */
export class RoundRobin<T> {
  #turn = 0;

  /** The next usable candidate in turn; undefined when none is usable. */
  next(candidates: readonly T[], isUsable: (candidate: T) => boolean): T | undefined {
    const count = candidates.length;
    for (let step = 0; step < count; step += 1) {
      const index = (this.#turn + step) % count;
      const candidate = candidates[index];
      if (candidate === undefined || !isUsable(candidate)) continue;
      this.#turn = (index + 1) % count;
      return candidate;
    }
    return undefined;
  }
}
