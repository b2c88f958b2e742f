/** One partition of one creation of a topic: its objects form one chain. */
export interface Chain {
  readonly topic: string;
  /** The topic's own id: a topic that is deleted and made again begins new chains. */
  readonly generation: string;
  readonly partition: number;
}

/** What the key of an archived object says. */
export interface ObjectPlace {
  readonly chain: Chain;
  /** The first offset that the object answers for. */
  readonly from: bigint;
}

/** Offsets have 63 bits: with 20 digits the order of the keys is that of the offsets, and the first one is 0. */
const DIGITS = 20;
const SUFFIX = '.ndjson.gz';
const KEY = /^([A-Za-z0-9._-]{1,200})\/([A-Za-z0-9_-]{1,100})\/(0|[1-9]\d{0,8})\/(0\d{19})\.ndjson\.gz$/;

/** The greatest offset that there can be. */
export const MAX_OFFSET = 2n ** 63n - 1n;

/** What the keys of a chain's objects begin with, and those of no other chain. */
export function chainPrefix({ topic, generation, partition }: Chain): string {
  return `${topic}/${generation}/${partition}/0`;
}

/** Where the object that answers for this offset and those behind it is stored. */
export function objectKey({ topic, generation, partition }: Chain, from: bigint): string {
  return `${topic}/${generation}/${partition}/${from.toString().padStart(DIGITS, '0')}${SUFFIX}`;
}

/** Reads a key; undefined when it is not that of an archived object. */
export function parseObjectKey(key: string): ObjectPlace | undefined {
  const [, topic, generation, partition, from] = KEY.exec(key) ?? [];
  if (topic === undefined || generation === undefined || from === undefined) return undefined;
  return { chain: { topic, generation, partition: Number(partition) }, from: BigInt(from) };
}

/** Whether two chains are the same one. */
export function isSameChain(one: Chain, other: Chain): boolean {
  return (
    one.topic === other.topic && one.generation === other.generation && one.partition === other.partition
  );
}
