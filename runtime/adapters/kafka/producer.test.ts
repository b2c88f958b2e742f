import { expect, test } from '@jest/globals';
import { eventually } from '../../../test/helpers/eventually.ts';
import type { NewRecord } from '../../ports/event-log.ts';
import { CODES } from './error-codes.ts';
import { away, invalid, type KafkaFailure } from './failure.ts';
import { Health } from './health.ts';
import { PRODUCE_KEY } from './produce-codec.ts';
import { Producer } from './producer.ts';
import { decodeBatches } from './record-batch.ts';
import type { RequestFor } from './requests.ts';

/** One batch, as a broker got it. */
interface Sent {
  readonly values: readonly string[];
  readonly producerId: bigint;
  readonly epoch: number;
  readonly sequence: number;
}

/** What a broker does with a batch: an error code, or a failure of the connection; it may take its time. */
type Reply = number | KafkaFailure | Promise<number>;

const NO_OBSERVER = { up: () => {}, down: () => {}, reconnected: () => {}, sent: () => {} };
const VERSIONS = { [PRODUCE_KEY]: { minVersion: 3, maxVersion: 12 } };
const partition = { partition: 0, errorCode: 0, leader: 1, replicas: [1] };

/** A cluster of one broker and one partition, which replies so to each batch. */
function clusterWith(reply: (sent: Sent, n: number) => Reply) {
  const batches: Sent[] = [];
  let identities = 0;
  const ask = async <T>(_node: number, _lane: string, request: RequestFor<T>): Promise<T> => {
    const pieces = await request(VERSIONS).encode();
    const batch = pieces.at(-1) ?? Buffer.alloc(0);
    const sent: Sent = {
      values: decodeBatches(batch, 0, 0n).records.map(({ value }) => Buffer.from(value ?? []).toString()),
      producerId: batch.readBigInt64BE(43),
      epoch: batch.readInt16BE(51),
      sequence: batch.readInt32BE(53),
    };
    batches.push(sent);
    const answer = await reply(sent, batches.length);
    if (typeof answer !== 'number') throw answer;
    return [{ topic: 't', partition: 0, errorCode: answer }] as T;
  };
  const askAny = <T>(): Promise<T> => {
    identities += 1;
    return Promise.resolve({ errorCode: 0, producerId: `${100 + identities}`, producerEpoch: 0 } as T);
  };
  const cluster = { ask, askAny, health: new Health(NO_OBSERVER), isKnownAway: () => false };
  const directory = {
    find: (name: string) =>
      name === 't'
        ? Promise.resolve({ errorCode: 0, name, id: 'id', partitions: [partition] })
        : Promise.reject(invalid(`there is no topic ${name}`)),
    partition: () => Promise.resolve(partition),
    markStale: () => {},
  };
  const producer = new Producer(cluster, directory, 2_000);
  const append = (...values: string[]): Promise<void> =>
    producer.append(values.map(recordOf), (topic) => topic);
  return { batches, producer, append };
}

const recordOf = (value: string): NewRecord => ({ topic: 't', key: 'k', value: Buffer.from(value) });

test('one batch is in flight, and what is asked meanwhile gathers for the next', async () => {
  const first = Promise.withResolvers<number>();
  const { append, batches } = clusterWith((_, n) => (n === 1 ? first.promise : 0));
  const appends = [append('a')];
  await eventually('the first is sent', () => batches.length === 1);
  appends.push(append('b'), append('c', 'd'), append('e'));
  first.resolve(0);
  await Promise.all(appends);
  expect(batches.map(({ values, sequence }) => [values, sequence])).toEqual([
    [['a'], 0],
    [['b', 'c', 'd', 'e'], 1],
  ]);
});

test('a batch that nobody answered is sent again as it was, so that the broker knows it', async () => {
  const { append, batches } = clusterWith((_, n) => [away('gone'), CODES.duplicateSequence][n - 1] ?? 0);
  await append('a', 'b');
  await append('c');
  expect(batches[1]).toEqual(batches[0]);
  expect(batches[2]).toMatchObject({ values: ['c'], producerId: 101n, epoch: 0, sequence: 2 });
});

test('behind a batch that was given up comes another epoch: its sequence numbers are not used twice', async () => {
  const { append, batches } = clusterWith((_, n) => (n === 1 ? CODES.messageTooLarge : 0));
  await expect(append('a')).rejects.toMatchObject({ kind: 'invalid' });
  await append('b');
  expect(batches.map(({ producerId, epoch, sequence }) => [producerId, epoch, sequence])).toEqual([
    [101n, 0, 0],
    [101n, 1, 0],
  ]);
});

test.each([
  ['out of order', CODES.outOfOrderSequence],
  ['of an old epoch', CODES.invalidProducerEpoch],
  ['of nobody it knows', CODES.unknownProducerId],
])('a producer whose batch the broker takes to be %s becomes a new one', async (_, code) => {
  const { append, batches } = clusterWith((_sent, n) => (n === 2 ? code : 0));
  await append('a');
  await append('b');
  await append('c');
  expect(batches.map(({ values, producerId, sequence }) => [values.join(), producerId, sequence])).toEqual([
    ['a', 101n, 0],
    ['b', 101n, 1],
    ['b', 102n, 0],
    ['c', 102n, 1],
  ]);
});

test('of appends in one batch only the one at fault is invalid', async () => {
  const bad = (values: readonly string[]): number => (values.includes('bad') ? CODES.invalidRecord : 0);
  const { append, batches } = clusterWith(({ values }) => bad(values));
  const appends = [append('a', 'b'), append('bad', 'c'), append('d')];
  await expect(appends[1]).rejects.toMatchObject({ kind: 'invalid' });
  await Promise.all([appends[0], appends[2]]);
  expect(batches.map(({ values }) => values.join())).toEqual(['a,b,bad,c,d', 'a,b', 'bad,c', 'd']);
});

test('an append to a topic that is not there fails alone', async () => {
  const { append, batches, producer } = clusterWith(() => 0);
  const stray = producer.append([{ ...recordOf('x'), topic: 'none' }], (topic) => topic);
  const good = append('a');
  await expect(stray).rejects.toMatchObject({ kind: 'invalid' });
  await good;
  expect(batches.map(({ values }) => values)).toEqual([['a']]);
});

test('closing waits for what is in flight, and sends nothing more', async () => {
  const first = Promise.withResolvers<number>();
  const { append, batches, producer } = clusterWith(() => first.promise);
  const appends = [append('a')];
  await eventually('the first is sent', () => batches.length === 1);
  appends.push(append('b'));
  const waiting = expect(appends[1]).rejects.toMatchObject({ kind: 'closed' });
  const closed = producer.close();
  await waiting;
  first.resolve(0);
  await Promise.all([appends[0], closed]);
  expect(batches).toHaveLength(1);
  await expect(append('c')).rejects.toMatchObject({ kind: 'closed' });
});
