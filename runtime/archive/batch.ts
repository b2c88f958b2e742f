import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { LogRecord } from '../ports/event-log.ts';
import { encodeLine } from './line.ts';
import type { ObjectFacts } from './object-facts.ts';

/** Records of one partition that will be one object. */
export class Batch {
  /** The first offset that it answers for. */
  readonly from: bigint;
  readonly #lines: string[] = [];
  readonly #offsets: bigint[] = [];
  readonly #timestamps: number[] = [];
  #bytes = 0;

  constructor(from: bigint) {
    this.from = from;
  }

  get count(): number {
    return this.#lines.length;
  }

  /** What its records weigh, in bytes, more or less. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first offset behind what it answers for. */
  get next(): bigint {
    const last = this.#offsets.at(-1);
    return last === undefined ? this.from : last + 1n;
  }

  /** Takes a record whose offset is `next` or behind it. */
  add(record: LogRecord): void {
    this.#push(encodeLine(record), record.offset, record.timestamp);
    this.#bytes += weightOf(record);
  }

  /** What remains of it from an offset on. */
  behind(offset: bigint): Batch {
    const rest = new Batch(offset);
    this.#offsets.forEach((each, place) => {
      const [line, timestamp] = [this.#lines[place], this.#timestamps[place]];
      if (each < offset || line === undefined || timestamp === undefined) return;
      rest.#push(line, each, timestamp);
      rest.#bytes += line.length;
    });
    return rest;
  }

  /** Packs it, off the event loop. Rejects when it holds no record. */
  async pack(): Promise<PackedBatch> {
    const [first, last] = [this.#offsets[0], this.#offsets.at(-1)];
    const lastTimestamp = this.#timestamps.at(-1);
    if (first === undefined || last === undefined || lastTimestamp === undefined) {
      throw new Error('there is no object without a record');
    }
    const { from, next, count } = this;
    const body = await compress(Buffer.from(`${this.#lines.join('\n')}\n`), COMPRESSION);
    const [earliest, latest] = extremes(this.#timestamps);
    const sha256 = hash('sha256', body, 'hex');
    return {
      body,
      facts: { from, next, count, content: { first, last, earliest, latest, lastTimestamp, sha256 } },
    };
  }

  #push(line: string, offset: bigint, timestamp: number): void {
    this.#lines.push(line);
    this.#offsets.push(offset);
    this.#timestamps.push(timestamp);
  }
}

/** An object before it is stored. */
export interface PackedBatch {
  readonly body: Uint8Array;
  readonly facts: ObjectFacts;
}

/** What a record weighs in a batch, in bytes, more or less. */
export function weightOf({ key, value }: LogRecord): number {
  return LINE_FRAME + (key?.length ?? 0) + (value?.byteLength ?? 0);
}

const compress = promisify(gzip);
/** Measured on bank events, which are mostly ids and hashes: level 6 takes 1.6 times the time for 4 % fewer bytes. */
const COMPRESSION = { level: 2, memLevel: 9, chunkSize: 256 * 1024 };
/** Bytes of a line beside key and value. */
const LINE_FRAME = 60;

function extremes(values: readonly number[]): readonly [least: number, greatest: number] {
  let [least, greatest] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return [least, greatest];
}
