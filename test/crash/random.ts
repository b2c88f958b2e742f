import { seededRandom } from '../../bench/random-body.ts';

/** Random choices that follow from a seed. */
export class Random {
  readonly #seed: number;
  readonly #next: () => number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#next = seededRandom(seed);
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.#next() * (max - min + 1));
  }

  /** True in this share of the calls, 0 to 1. */
  chance(share: number): boolean {
    return this.#next() < share;
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.integer(0, list.length - 1)];
    if (picked === undefined) throw new Error('there is nothing to pick from');
    return picked;
  }

  /** One of the names, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[];
    let left = this.#next() * names.reduce((sum, name) => sum + weights[name], 0);
    for (const name of names) {
      left -= weights[name];
      if (left < 0) return name;
    }
    return this.pick(names);
  }

  /** The same elements in another order (Fisher and Yates). */
  shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list];
    return list.map(() => {
      const [taken] = rest.splice(this.integer(0, rest.length - 1), 1);
      if (taken === undefined) throw new Error('the list has ended early');
      return taken;
    });
  }

  /** A source of its own, which follows from the seed and the label alone, not from what was drawn so far. */
  fork(label: string): Random {
    // FNV-1a (Fowler, Noll, Vo), 32 bits.
    let mixed = 0x811c9dc5 ^ this.#seed;
    for (let index = 0; index < label.length; index += 1) {
      mixed = Math.imul(mixed ^ label.charCodeAt(index), 0x01000193);
    }
    return new Random(mixed >>> 0);
  }
}
