/** Ends a member; no byte of UTF-8 has this value. */
const END = 0xff;
/** A reference to a member is the number of its page, then its place in the page in this many bits. */
const PLACE_BITS = 20;
const PAGE = 2 ** PLACE_BITS;
const FIRST_PAGE = 1_024;
const MAX_PAGES = 2 ** 12 - 1;
/** Each of them grows alone, so that no single addition takes long. */
const TABLES = 256;
const TABLE_BITS = 8;
const FIRST_TABLE = 8;

/** References plus one, by hash; 0 is a free slot. At most three quarters are taken. */
interface Table {
  slots: Uint32Array<ArrayBuffer>;
  taken: number;
}

const { imul } = Math;

/** The member that a call is about, as bytes, with its end. */
let scratch = Buffer.allocUnsafeSlow(4_096);

/**
 * A set of strings, kept as UTF-8 outside of the JavaScript heap: a million names take some 30 MB, not the 150 MB
 * of a Set, and the garbage collector has nothing to look at. Strings that are not well-formed are made so.
 */
export class MemberSet {
  /** Members one after the other. A member that is longer than a page has a page of its own. */
  #pages: Uint8Array<ArrayBuffer>[] = [];
  #tables: (Table | undefined)[] = [];
  /** Bytes in use of the last page, of all pages, and of what was removed. */
  #end = 0;
  #bytes = 0;
  #removedBytes = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(member: string): boolean {
    const length = encode(member);
    const hash = hashAt(scratch, 0);
    const table = this.#tables[hash % TABLES];
    return table !== undefined && table.slots[this.#slotOf(table, hash, length)] !== 0;
  }

  add(member: string): void {
    const length = encode(member);
    const hash = hashAt(scratch, 0);
    const table = (this.#tables[hash % TABLES] ??= { slots: new Uint32Array(FIRST_TABLE), taken: 0 });
    const slot = this.#slotOf(table, hash, length);
    if (table.slots[slot] !== 0) return;
    table.slots[slot] = this.#append(length) + 1;
    table.taken += 1;
    this.#size += 1;
    if (table.taken * 4 > table.slots.length * 3) this.#grow(table);
  }

  delete(member: string): void {
    const length = encode(member);
    const hash = hashAt(scratch, 0);
    const table = this.#tables[hash % TABLES];
    if (table === undefined) return;
    const slot = this.#slotOf(table, hash, length);
    if (table.slots[slot] === 0) return;
    this.#release(table, slot);
    table.taken -= 1;
    this.#size -= 1;
    this.#removedBytes += length;
    if (this.#removedBytes > Math.max(FIRST_PAGE, this.#bytes / 2)) this.#compact();
  }

  /** Removes all. The memory is free at once, not when the garbage collector finds it. */
  clear(): void {
    for (const page of this.#pages) free(page);
    for (const table of this.#tables) if (table !== undefined) free(table.slots);
    this.#pages = [];
    this.#tables = [];
    this.#end = this.#bytes = this.#removedBytes = this.#size = 0;
  }

  /** All members, in no order. */
  *[Symbol.iterator](): Generator<string> {
    for (const table of this.#tables) {
      for (const taken of table?.slots ?? []) if (taken !== 0) yield this.#memberAt(taken - 1);
    }
  }

  /** The slot that refers to the member in `scratch`, or the free one that may. */
  #slotOf({ slots }: Table, hash: number, length: number): number {
    const mask = slots.length - 1;
    for (let slot = (hash >>> TABLE_BITS) & mask; ; slot = (slot + 1) & mask) {
      const taken = slots[slot];
      if (taken === undefined || taken === 0 || this.#isAt(taken - 1, length)) return slot;
    }
  }

  #isAt(reference: number, length: number): boolean {
    const page = this.#pageOf(reference);
    const from = reference % PAGE;
    for (let index = 0; index < length; index++) if (page[from + index] !== scratch[index]) return false;
    return true;
  }

  #memberAt(reference: number): string {
    const page = this.#pageOf(reference);
    const from = reference % PAGE;
    return Buffer.from(page.buffer).toString('utf8', from, page.indexOf(END, from));
  }

  /** Keeps the member in `scratch`; returns a reference to it. */
  #append(length: number): number {
    let page = this.#pages.at(-1);
    if (page === undefined || this.#end + length > page.length || this.#end >= PAGE) {
      if (this.#pages.length === MAX_PAGES) throw new RangeError('a set of the embedded cache is full');
      page = new Uint8Array(Math.max(length, Math.min(Math.max(this.#bytes, FIRST_PAGE), PAGE)));
      this.#pages.push(page);
      this.#end = 0;
    }
    page.set(scratch.subarray(0, length), this.#end);
    const reference = (this.#pages.length - 1) * PAGE + this.#end;
    this.#end += length;
    this.#bytes += length;
    return reference;
  }

  #grow(table: Table): void {
    const slots = new Uint32Array(table.slots.length * 2);
    const mask = slots.length - 1;
    for (const taken of table.slots) {
      if (taken === 0) continue;
      let slot = this.#homeOf(taken, mask);
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = taken;
    }
    free(table.slots);
    table.slots = slots;
  }

  /** Frees a slot, and moves up what stands behind it only because it was taken (Knuth, volume 3, 6.4, algorithm R). */
  #release({ slots }: Table, slot: number): void {
    const mask = slots.length - 1;
    let gap = slot;
    slots[gap] = 0;
    for (let at = (gap + 1) & mask; ; at = (at + 1) & mask) {
      const taken = slots[at];
      if (taken === undefined || taken === 0) return;
      if (((at - this.#homeOf(taken, mask)) & mask) < ((at - gap) & mask)) continue;
      slots[gap] = taken;
      slots[at] = 0;
      gap = at;
    }
  }

  /** Writes what is left anew, so that what was removed takes no room. */
  #compact(): void {
    const fresh = new MemberSet();
    for (const member of this) fresh.add(member);
    this.clear();
    this.#pages = fresh.#pages;
    this.#tables = fresh.#tables;
    this.#end = fresh.#end;
    this.#bytes = fresh.#bytes;
    this.#size = fresh.#size;
  }

  /** The slot from which a member is looked for. */
  #homeOf(taken: number, mask: number): number {
    const reference = taken - 1;
    return (hashAt(this.#pageOf(reference), reference % PAGE) >>> TABLE_BITS) & mask;
  }

  #pageOf(reference: number): Uint8Array<ArrayBuffer> {
    const page = this.#pages[reference >>> PLACE_BITS];
    if (page === undefined) throw new Error('a reference leads to no page');
    return page;
  }
}

/** Puts the member and its end into `scratch`; returns how many bytes that are. */
function encode(member: string): number {
  // No code unit takes more than three bytes.
  const room = member.length * 3 + 1;
  if (scratch.length < room) scratch = Buffer.allocUnsafeSlow(room);
  const length = scratch.write(member, 'utf8');
  scratch[length] = END;
  return length + 1;
}

/** FNV-1a of the member that begins here, its bits mixed as in MurmurHash3; unsigned, 32 bits. */
function hashAt(bytes: Uint8Array, from: number): number {
  let hash = 0x811c9dc5;
  let at = from;
  for (let byte = bytes[at]; byte !== undefined && byte !== END; byte = bytes[at]) {
    hash = imul(hash ^ byte, 0x01000193);
    at += 1;
  }
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function free({ buffer }: Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): void {
  buffer.transfer(0);
}
