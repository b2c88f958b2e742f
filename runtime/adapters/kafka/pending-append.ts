import type { NewRecord } from '../../ports/event-log.ts';
import { murmur2 } from '../murmur2.ts';
import { closed, KafkaFailure } from './failure.ts';
import { encodeBody } from './record-batch.ts';
import { WireWriter } from './wire.ts';

/** A record that waits to be sent: its bytes are its own. */
export interface PackedRecord {
  readonly topic: string;
  /** Positive hash of the key, as Kafka's default partitioner takes it; undefined: any partition. */
  readonly keyHash: number | undefined;
  /** Key and value as a batch holds them. */
  readonly body: Buffer;
}

/** One call of `append`, from its acceptance until it is answered. */
export class PendingAppend {
  readonly records: readonly PackedRecord[];
  readonly topics: ReadonlySet<string>;
  readonly bytes: number;
  readonly done: Promise<void>;
  /** The first record that has not been put into a batch yet. */
  next = 0;
  #acknowledged = 0;
  /** Sent, and nobody knows what became of them. */
  #uncertain = false;
  #settle: { resolve(): void; reject(failure: KafkaFailure): void } | undefined;

  constructor(records: readonly PackedRecord[]) {
    this.records = records;
    this.topics = new Set(records.map(({ topic }) => topic));
    this.bytes = records.reduce((sum, { body }) => sum + body.length, 0);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.done = promise;
    this.#settle = { resolve: () => resolve(undefined), reject };
  }

  /** It has been answered: nobody waits for it any more. */
  get isSettled(): boolean {
    return this.#settle === undefined;
  }

  get isStarted(): boolean {
    return this.next > 0;
  }

  /** So many of its records are durable. */
  acknowledge(count: number): void {
    this.#acknowledged += count;
    if (this.#acknowledged < this.records.length) return;
    this.#settle?.resolve();
    this.#settle = undefined;
  }

  /** Some of its records were sent, and it is not known whether they are in the log. */
  doubt(): void {
    this.#uncertain = true;
  }

  /** Answers it with a failure. `invalid` says that nothing is in the log, so it is another one where something may be. */
  fail(failure: KafkaFailure): void {
    const partly = this.#acknowledged > 0 || this.#uncertain;
    const changed = partly && (failure.kind === 'invalid' || failure.kind === 'closed');
    const told = changed
      ? new KafkaFailure('unavailable', `some records may be in the log: ${failure.message}`)
      : failure;
    this.#settle?.reject(told);
    this.#settle = undefined;
  }

  /** The log closes: what has not been sent is not sent any more. */
  abandon(): void {
    if (!this.isStarted) this.fail(closed());
  }
}

/** Copies the records, so that the caller may use its buffers again. `topicOf`: the topic's name in Kafka. */
export function packRecords(
  records: readonly NewRecord[],
  topicOf: (topic: string) => string,
): PendingAppend {
  const out = new WireWriter(records.reduce((sum, { value }) => sum + (value?.byteLength ?? 0) + 64, 0));
  const names = new Map<string, string>();
  const packed = records.map(({ topic, key, value }) => {
    const name = names.get(topic) ?? topicOf(topic);
    names.set(topic, name);
    const from = out.length;
    encodeBody(out, key, value);
    return { topic: name, keyHash: key === null ? undefined : hashOf(key), from, to: out.length };
  });
  const { written } = out;
  return new PendingAppend(
    packed.map(({ topic, keyHash, from, to }) => ({ topic, keyHash, body: written.subarray(from, to) })),
  );
}

function hashOf(key: string): number {
  return murmur2(Buffer.from(key)) & 0x7fffffff;
}
