import { createHash } from 'node:crypto';
import type { ObjectContent } from '../ports/object-store.ts';
import type { Link } from './chain-check.ts';
import type { Finding, FindingKind } from './finding.ts';
import { decodeLine } from './line.ts';
import { type ContentFacts, type ObjectFacts, parseMetadata } from './object-facts.ts';
import type { ObjectPlace } from './object-key.ts';
import { linesOf, UnreadableObject } from './object-lines.ts';

/** What is wrong with an object by itself, and what its chain needs of it. */
export interface ObjectCheck {
  readonly link: Link;
  readonly findings: readonly Finding[];
}

/** What the content of an object turned out to be. */
interface Content {
  readonly sha256: string;
  readonly count: number;
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
  readonly earliest: number;
  readonly latest: number;
  /** Number of the first line that is no record, or whose offset does not grow. */
  readonly badLine: number | undefined;
  readonly disorder: number | undefined;
  /** Why it could not be read to its end. */
  readonly unreadable: string | undefined;
}

type Complain = (kind: FindingKind, message: string) => void;

/** Reads an object to its end and compares it with what its key and its metadata say. */
export async function checkObject(object: ObjectContent, place: ObjectPlace): Promise<ObjectCheck> {
  const { key, metadata, body } = object;
  const findings: Finding[] = [];
  const complain: Complain = (kind, message) => findings.push({ kind, key, message });
  const parsed = parseMetadata(metadata);
  if (!parsed.ok) {
    complain('metadata', parsed.fault);
    const content = await readContent(body, complain);
    const next = content.last === undefined ? undefined : content.last + 1n;
    return { link: linkOf({ from: place.from, next }, content), findings };
  }
  const { facts } = parsed;
  complainOfFacts(facts, place, complain);
  if (facts.content === undefined) return { link: linkOf(facts, NOTHING), findings };
  const content = await readContent(body, complain);
  compare(content, facts.content, { count: facts.count, complain });
  return { link: linkOf(facts, content), findings };
}

const NOTHING = { count: 0, first: undefined, last: undefined };

function linkOf(
  { from, next }: Pick<Link, 'from' | 'next'>,
  { count, first, last }: Pick<Content, 'count' | 'first' | 'last'>,
): Link {
  return { from, next, records: count, first, last };
}

async function readContent(body: AsyncIterable<Uint8Array>, complain: Complain): Promise<Content> {
  const hash = createHash('sha256');
  const tally = new Tally();
  let unreadable: string | undefined;
  const observed = observe(body, (piece) => hash.update(piece));
  try {
    for await (const line of linesOf(observed)) tally.add(line);
  } catch (error) {
    if (!(error instanceof UnreadableObject)) throw error;
    unreadable = error.message;
  }
  const content = { ...tally.result(), unreadable, sha256: hash.digest('hex') };
  complainOfContent(content, complain);
  return content;
}

async function* observe(
  body: AsyncIterable<Uint8Array>,
  see: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    see(piece);
    yield piece;
  }
}

/** Counts lines; its size does not depend on how many there are. */
class Tally {
  #lines = 0;
  #count = 0;
  #first: bigint | undefined;
  #last: bigint | undefined;
  #earliest = Infinity;
  #latest = -Infinity;
  #badLine: number | undefined;
  #disorder: number | undefined;

  add(line: string): void {
    this.#lines += 1;
    const record = decodeLine(line);
    if (record === undefined) {
      this.#badLine ??= this.#lines;
      return;
    }
    this.#count += 1;
    if (this.#last !== undefined && record.offset <= this.#last) this.#disorder ??= this.#lines;
    this.#first ??= record.offset;
    this.#last = record.offset;
    this.#earliest = Math.min(this.#earliest, record.timestamp);
    this.#latest = Math.max(this.#latest, record.timestamp);
  }

  result(): Omit<Content, 'sha256' | 'unreadable'> {
    return {
      count: this.#count,
      first: this.#first,
      last: this.#last,
      earliest: this.#earliest,
      latest: this.#latest,
      badLine: this.#badLine,
      disorder: this.#disorder,
    };
  }
}

function complainOfContent({ badLine, disorder, unreadable }: Content, complain: Complain): void {
  if (unreadable !== undefined) complain('unreadable', `cannot be unpacked: ${unreadable}`);
  if (badLine !== undefined) complain('line', `line ${badLine} is no record`);
  if (disorder !== undefined)
    complain('offsets', `the offset of line ${disorder} is not behind the one before`);
}

function complainOfFacts({ from, next, content }: ObjectFacts, place: ObjectPlace, complain: Complain): void {
  if (from !== place.from) {
    complain('name', `is named as if it began at offset ${place.from}, and begins at ${from}`);
  }
  if (content === undefined) complain('loss', `offsets ${from} to ${next - 1n} were declared lost`);
}

function compare(
  content: Content,
  facts: ContentFacts,
  { count, complain }: { readonly count: number; readonly complain: Complain },
): void {
  if (content.sha256 !== facts.sha256) {
    complain('checksum', `its bytes have SHA-256 ${content.sha256}, not ${facts.sha256}`);
  }
  // What could not be read has been told, and so has a line that does not count.
  if (content.unreadable !== undefined || content.badLine !== undefined) return;
  if (content.count !== count) complain('count', `holds ${content.count} records, not ${count}`);
  if (content.first !== facts.first || content.last !== facts.last) {
    const held = `${String(content.first)} to ${String(content.last)}`;
    complain('offsets', `holds offsets ${held}, not ${facts.first} to ${facts.last}`);
  }
  if (content.earliest !== facts.earliest || content.latest !== facts.latest) {
    complain('metadata', 'its records are not of the time that its metadata says');
  }
}
