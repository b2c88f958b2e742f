import type { Cluster } from './cluster.ts';
import type { Deadline } from './deadline.ts';
import { check } from './failure.ts';
import { initProducerId } from './requests.ts';
import type { BatchIdentity } from './record-batch.ts';

const MAX_EPOCH = 0x7fff;
const MAX_SEQUENCE = 0x7fffffff;
const ANSWER_MS = 1_500;

/**
 * Who this producer is to the brokers: by id, epoch and sequence they recognise a batch that is sent again, and
 * append it once (KIP-98). A batch that was given up keeps its sequence for ever: the next one must not take it, or
 * the broker, which may have the first, would take the second for it and drop it. So it goes on in a new epoch, in
 * which the broker also refuses what is left of the old one (KIP-360).
 */
export class ProducerIdentity {
  readonly #cluster: Pick<Cluster, 'askAny'>;
  #id: { readonly producerId: bigint; producerEpoch: number } | undefined;
  readonly #sequences = new Map<string, number>();

  constructor(cluster: Pick<Cluster, 'askAny'>) {
    this.#cluster = cluster;
  }

  /** Asks for an id where there is none. */
  async ensure(deadline: Deadline): Promise<void> {
    if (this.#id !== undefined) return;
    const answer = await this.#cluster.askAny('produce', initProducerId, deadline, ANSWER_MS);
    check(answer.errorCode, 'the id of the producer');
    this.#id = { producerId: BigInt(answer.producerId), producerEpoch: answer.producerEpoch };
    this.#sequences.clear();
  }

  /** Numbers the next `count` records of a partition. */
  take(partitionKey: string, count: number): BatchIdentity {
    if (this.#id === undefined) throw new Error('there is no producer id yet');
    const baseSequence = this.#sequences.get(partitionKey) ?? 0;
    // It begins again at 0 behind the greatest one, in the middle of a batch too.
    this.#sequences.set(partitionKey, (baseSequence + count) % (MAX_SEQUENCE + 1));
    return { ...this.#id, baseSequence };
  }

  /** Batches were given up, and nobody knows whether they are in the log. */
  abandon(): void {
    if (this.#id === undefined) return;
    this.#sequences.clear();
    if (this.#id.producerEpoch >= MAX_EPOCH - 1) this.renew();
    else this.#id.producerEpoch += 1;
  }

  /** The brokers do not go along with this identity: the next batch gets another. */
  renew(): void {
    this.#id = undefined;
    this.#sequences.clear();
  }
}
