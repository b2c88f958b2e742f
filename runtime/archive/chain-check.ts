import type { FindingKind } from './finding.ts';
import type { Chain } from './object-key.ts';

/** What is known of one object, as its chain needs it. */
export interface Link {
  readonly from: bigint;
  /** Undefined: neither its metadata nor its content says where it ends. */
  readonly next: bigint | undefined;
  readonly records: number;
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
}

/** A chain that has been walked to its end. */
export interface ChainReport {
  readonly chain: Chain;
  readonly objects: number;
  readonly records: number;
  /** Offsets of its first and last record; undefined when it holds none. */
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
  readonly findings: number;
}

/** Follows a chain from object to object: each must begin where the one before it ends, the first one at 0. */
export class ChainCheck {
  readonly chain: Chain;
  #expected: bigint | undefined = 0n;
  #objects = 0;
  #records = 0;
  #first: bigint | undefined;
  #last: bigint | undefined;
  #findings = 0;

  constructor(chain: Chain) {
    this.chain = chain;
  }

  /** Takes the next object in order of keys; returns what is wrong with where it begins. */
  follow(link: Link): { readonly kind: FindingKind; readonly message: string } | undefined {
    const { from, next, records, first, last } = link;
    const expected = this.#expected;
    this.#objects += 1;
    this.#records += records;
    this.#first ??= first;
    this.#last = last ?? this.#last;
    this.#expected = greater(expected, next);
    if (expected === undefined || from === expected) return undefined;
    if (from > expected) return { kind: 'gap', message: `${range(expected, from)} missing before it` };
    const end = next === undefined || next > expected ? expected : next;
    return { kind: 'overlap', message: `${range(from, end)} in an object before it too` };
  }

  /** Counts what is wrong with an object of the chain. */
  count(findings: number): void {
    this.#findings += findings;
  }

  report(): ChainReport {
    return {
      chain: this.chain,
      objects: this.#objects,
      records: this.#records,
      first: this.#first,
      last: this.#last,
      findings: this.#findings,
    };
  }
}

/** Where the next object must begin; unknown behind an object that does not say where it ends. */
function greater(expected: bigint | undefined, next: bigint | undefined): bigint | undefined {
  return expected === undefined || next === undefined || next > expected ? next : expected;
}

function range(from: bigint, next: bigint): string {
  const last = next - 1n;
  return last === from ? `offset ${from} is` : `offsets ${from} to ${last} are`;
}
