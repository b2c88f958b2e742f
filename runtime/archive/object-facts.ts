/** What an object of the archive says of itself, in its metadata. */
export interface ObjectFacts {
  /** The first offset that it answers for: the `next` of the object before it. */
  readonly from: bigint;
  /** The first offset behind what it answers for, and so the `from` of the object behind it. */
  readonly next: bigint;
  /** Records in it. */
  readonly count: number;
  /** Undefined: it holds no record and declares those from `from` to `next` lost. */
  readonly content: ContentFacts | undefined;
}

/** What the records of an object are. */
export interface ContentFacts {
  /** Offset of the first record. Behind `from` where the log has an offset without a record. */
  readonly first: bigint;
  /** Offset of the last record. */
  readonly last: bigint;
  /** Least and greatest timestamp, in ms since the epoch: producers' clocks need not agree with the offsets. */
  readonly earliest: number;
  readonly latest: number;
  /** Timestamp of the last record. */
  readonly lastTimestamp: number;
  /** SHA-256 of the object's bytes, in hex. */
  readonly sha256: string;
}

export type ParsedFacts =
  { readonly ok: true; readonly facts: ObjectFacts } | { readonly ok: false; readonly fault: string };

/** Metadata of an object. */
export function toMetadata({ from, next, count, content }: ObjectFacts): Readonly<Record<string, string>> {
  const range = { from: from.toString(), next: next.toString(), count: count.toString() };
  if (content === undefined) return range;
  const { first, last, earliest, latest, lastTimestamp, sha256 } = content;
  return {
    ...range,
    first: first.toString(),
    last: last.toString(),
    earliest: earliest.toString(),
    latest: latest.toString(),
    'last-timestamp': lastTimestamp.toString(),
    sha256,
  };
}

/** Reads an object's metadata; what is missing or cannot be is told as a fault. */
export function parseMetadata(metadata: Readonly<Record<string, string>>): ParsedFacts {
  const integer = (name: string): bigint | undefined => {
    const text = metadata[name];
    return text !== undefined && /^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  };
  const [from, next, count] = [integer('from'), integer('next'), integer('count')];
  if (from === undefined || next === undefined || count === undefined) {
    return fault('from, next or count is missing or no whole number');
  }
  if (from < 0n || next <= from) return fault(`it answers for no offset: from ${from}, next ${next}`);
  const range = { from, next, count: Number(count) };
  if (count === 0n) return { ok: true, facts: { ...range, content: undefined } };
  const content = parseContent(metadata, integer);
  if (content === undefined) {
    return fault('first, last, earliest, latest, last-timestamp or sha256 is missing or malformed');
  }
  if (!isWithin(content, range)) {
    return fault(`${count} records from ${content.first} to ${content.last} are not in ${from} to ${next}`);
  }
  return { ok: true, facts: { ...range, content } };
}

function parseContent(
  metadata: Readonly<Record<string, string>>,
  integer: (name: string) => bigint | undefined,
): ContentFacts | undefined {
  const { sha256 } = metadata;
  const [first, last] = [integer('first'), integer('last')];
  const times = [integer('earliest'), integer('latest'), integer('last-timestamp')];
  const [earliest, latest, lastTimestamp] = times.map((time) => (time === undefined ? time : Number(time)));
  if (first === undefined || last === undefined || sha256 === undefined) return undefined;
  if (earliest === undefined || latest === undefined || lastTimestamp === undefined) return undefined;
  return /^[0-9a-f]{64}$/.test(sha256) ? { first, last, earliest, latest, lastTimestamp, sha256 } : undefined;
}

function isWithin(
  { first, last }: ContentFacts,
  { from, next, count }: Pick<ObjectFacts, 'from' | 'next' | 'count'>,
): boolean {
  return from <= first && first <= last && last < next && BigInt(count) <= last - first + 1n && count > 0;
}

function fault(text: string): ParsedFacts {
  return { ok: false, fault: text };
}
