/**
 * Kafka's primitive types, read and written. Source: https://kafka.apache.org/protocol#protocol_types. Only what
 * the messages need that the client library does not speak, or not well enough.
 */

/** Reads one message from its bytes. Throws RangeError where they end too early. */
export class WireReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#skip(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#skip(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#skip(4));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#skip(4));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#skip(8));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  /** 16 bytes, as Kafka's tools print them: base64url without padding. */
  uuid(): string {
    return this.bytes(16).toString('base64url');
  }

  /** A view of the next bytes, not a copy. */
  bytes(length: number): Buffer {
    const from = this.#skip(length);
    return this.#bytes.subarray(from, from + length);
  }

  nullableString(): string | undefined {
    const length = this.int16();
    return length < 0 ? undefined : this.bytes(length).toString('utf8');
  }

  string(): string {
    return this.nullableString() ?? '';
  }

  nullableBytes(): Buffer | undefined {
    const length = this.int32();
    return length < 0 ? undefined : this.bytes(length);
  }

  array<T>(read: () => T): T[] {
    return this.#times(this.int32(), read);
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#skip(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new RangeError('a varint of more than 5 bytes');
  }

  /** A signed varint in zigzag form. */
  varint(): number {
    const value = this.unsignedVarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** A signed varint of up to 64 bits in zigzag form. */
  varlong(): bigint {
    let value = 0n;
    for (let shift = 0n; shift <= 63n; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#skip(1));
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return (value >> 1n) ^ -(value & 1n);
    }
    throw new RangeError('a varlong of more than 10 bytes');
  }

  compactNullableString(): string | undefined {
    const length = this.unsignedVarint() - 1;
    return length < 0 ? undefined : this.bytes(length).toString('utf8');
  }

  compactString(): string {
    return this.compactNullableString() ?? '';
  }

  compactArray<T>(read: () => T): T[] {
    return this.#times(this.unsignedVarint() - 1, read);
  }

  /** Passes over the tagged fields at the end of a flexible structure. */
  skipTags(): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      this.unsignedVarint();
      this.#skip(this.unsignedVarint());
    }
  }

  #times<T>(count: number, read: () => T): T[] {
    const items: T[] = [];
    for (let left = count; left > 0; left--) items.push(read());
    return items;
  }

  /** Returns where it was. */
  #skip(bytes: number): number {
    const from = this.#at;
    if (bytes < 0 || from + bytes > this.#bytes.length) throw new RangeError('the message ends too early');
    this.#at = from + bytes;
    return from;
  }
}

/** Writes one message; it grows as needed. */
export class WireWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  /** What has been written so far; a view that the next write may invalidate. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  get length(): number {
    return this.#at;
  }

  int8(value: number): this {
    const at = this.#grow(1);
    this.#bytes.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#grow(2);
    this.#bytes.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#grow(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }

  int64(value: bigint): this {
    const at = this.#grow(8);
    this.#bytes.writeBigInt64BE(value, at);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.byteLength);
    this.#bytes.set(value, at);
    return this;
  }

  /** Undefined is written as null. */
  string(value: string | undefined): this {
    if (value === undefined) return this.int16(-1);
    const length = Buffer.byteLength(value);
    this.int16(length);
    const at = this.#grow(length);
    this.#bytes.write(value, at, 'utf8');
    return this;
  }

  unsignedVarint(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      const at = this.#grow(1);
      this.#bytes[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    const at = this.#grow(1);
    this.#bytes[at] = rest;
    return this;
  }

  /** A signed varint of up to 32 bits in zigzag form. */
  varint(value: number): this {
    return this.unsignedVarint((value << 1) ^ (value >> 31));
  }

  compactString(value: string): this {
    const length = Buffer.byteLength(value);
    this.unsignedVarint(length + 1);
    const at = this.#grow(length);
    this.#bytes.write(value, at, 'utf8');
    return this;
  }

  /** Overwrites four bytes that were written before. */
  patchInt32(at: number, value: number): void {
    this.#bytes.writeInt32BE(value | 0, at);
  }

  /** Makes room, perhaps in other bytes; returns where it begins. */
  #grow(bytes: number): number {
    const from = this.#at;
    const needed = from + bytes;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, from));
      this.#bytes = larger;
    }
    this.#at = needed;
    return from;
  }
}

/** Bytes that a signed varint takes in zigzag form. */
export function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  let size = 1;
  for (let rest = zigzag; rest >= 0x80; rest >>>= 7) size += 1;
  return size;
}
