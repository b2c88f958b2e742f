import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import { encodeFetchRequest } from './fetch-codec.ts';
import { decodeProduceResponse, encodeProduceRequest } from './produce-codec.ts';
import { encodeBatch, encodeBody } from './record-batch.ts';
import { WireWriter } from './wire.ts';

/** The client library's codecs, as a second opinion. */
const load = createRequire(import.meta.url);
type Encode = (options: object) => { encode(): Promise<{ buffer: Buffer }> };
const libraryFetch = load('kafkajs/src/protocol/requests/fetch/v11/request.js') as Encode;
const libraryProduce = load('kafkajs/src/protocol/requests/produce/v7/request.js') as Encode;

test('a fetch request is to the byte what the library would send', async () => {
  const at = (partition: number, offset: bigint): object => ({
    partition,
    fetchOffset: offset,
    maxBytes: 1000,
  });
  const { buffer } = await libraryFetch({
    replicaId: -1,
    maxWaitTime: 200,
    minBytes: 1,
    maxBytes: 5000,
    isolationLevel: 0,
    topics: [
      { topic: 'one', partitions: [at(0, 7n), at(3, 2n ** 40n)] },
      { topic: 'two', partitions: [at(1, 0n)] },
    ],
  }).encode();
  const ours = encodeFetchRequest(
    [
      { topic: 'one', partition: 0, offset: 7n, maxBytes: 1000 },
      { topic: 'one', partition: 3, offset: 2n ** 40n, maxBytes: 1000 },
      { topic: 'two', partition: 1, offset: 0n, maxBytes: 1000 },
    ],
    { maxWaitMs: 200, maxBytes: 5000 },
  );
  expect(ours.toString('hex')).toBe(Buffer.from(buffer).toString('hex'));
});

test('a produce request with its batches is to the byte what the library would send', async () => {
  const timestamp = 1_700_000_000_000;
  const messages = Array.from({ length: 300 }, (_, n) => ({
    key: n % 3 === 0 ? null : Buffer.from(`key é ${n}`),
    value: n % 5 === 0 ? null : Buffer.from('v'.repeat(n)),
    timestamp,
    headers: {},
  }));
  const { buffer } = await libraryProduce({
    acks: -1,
    timeout: 3000,
    producerId: 77n,
    producerEpoch: 3,
    topicData: [
      {
        topic: 'one',
        partitions: [
          { partition: 0, firstSequence: 5, messages },
          { partition: 1, firstSequence: 0, messages: messages.slice(0, 2) },
        ],
      },
    ],
  }).encode();
  const batchOf = (some: typeof messages, baseSequence: number): Buffer => {
    const bodies = some.map(({ key, value }) => {
      const out = new WireWriter();
      encodeBody(out, key === null ? null : key.toString(), value);
      return out.written;
    });
    return encodeBatch(bodies, timestamp, { producerId: 77n, producerEpoch: 3, baseSequence });
  };
  const ours = encodeProduceRequest(
    [
      { topic: 'one', partition: 0, bytes: batchOf(messages, 5) },
      { topic: 'one', partition: 1, bytes: batchOf(messages.slice(0, 2), 0) },
    ],
    3000,
  );
  // The library writes 0 for the leader's epoch, which brokers ignore, and this adapter -1, as Kafka's own client does.
  const epochs = (bytes: Buffer): string => bytes.toString('hex').replaceAll('ffffffff02', '0000000002');
  expect(epochs(Buffer.concat(ours))).toBe(epochs(Buffer.from(buffer)));
});

test('the answer to a produce request tells what became of each partition', () => {
  const answer = new WireWriter().int32(1).string('one').int32(2);
  for (const [partition, code] of [
    [0, 0],
    [4, 10],
  ] as const) {
    answer.int32(partition).int16(code).int64(9n).int64(-1n).int64(0n);
  }
  answer.int32(0);
  expect(decodeProduceResponse(answer.written)).toEqual([
    { topic: 'one', partition: 0, errorCode: 0 },
    { topic: 'one', partition: 4, errorCode: 10 },
  ]);
});
